-- asset: staging.stg_promotions
-- description: What the gate promotes was compared with what it replaces, on sessions that came
-- before the decision, and no figure stands without its sample size.
-- severity: error
-- blocking: false
select
    promotions.decision_id,
    promotions.subject,
    promotions.decision,
    promotions.unseen_sessions,
    promotions.last_unseen,
    promotions.as_of,
    promotions.challenger_rmse,
    promotions.incumbent_rmse,
    promotions.p_value_worse
from staging.stg_promotions as promotions
where
    (
        promotions.decision = 'promoted'
        and promotions.actor = 'gate'
        and (
            coalesce(promotions.unseen_sessions, 0) = 0
            or promotions.challenger_rmse is null
            or promotions.incumbent_rmse is null
            or promotions.p_value_worse is null
        )
    )
    or (promotions.challenger_rmse is not null and coalesce(promotions.unseen_sessions, 0) = 0)
    or promotions.first_unseen > promotions.last_unseen
    or promotions.last_unseen > promotions.as_of
