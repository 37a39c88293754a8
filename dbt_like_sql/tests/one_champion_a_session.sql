-- asset: marts.mart_champions
-- description: No session of a ticker or policy is served by two models.
-- severity: error
-- blocking: false
with champions as (
    select
        champions.kind,
        champions.subject,
        champions."window",
        champions.serves_after,
        champions.serves_until,
        lead(champions.serves_after) over (
            partition by champions.kind, champions.subject
            order by champions.serves_after, champions.serves_until
        ) as next_serves_after
    from marts.mart_champions as champions
)

select
    champions.kind,
    champions.subject,
    champions."window",
    champions.serves_after,
    champions.serves_until,
    champions.next_serves_after
from champions
where champions.serves_until > champions.next_serves_after
