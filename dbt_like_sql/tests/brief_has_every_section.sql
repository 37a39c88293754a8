-- asset: marts.mart_morning_brief
-- description: The brief says something of every section, in lines numbered from 1 without a gap.
-- severity: error
-- blocking: false
with lines as (
    select
        lines.line,
        lines.section
    from marts.mart_morning_brief as lines
),

sections as (
    select sections.section
    from (
        values
        ('freshness'), ('quarantine'), ('drift'), ('decay'), ('retraining'), ('promotion'),
        ('portfolio'), ('warnings')
    ) as sections(section)
),

said as (
    select
        sections.section,
        count(lines.line) as line_count
    from sections
    left join lines
        on lines.section = sections.section
    group by sections.section
),

numbered as (
    select
        count(*) as line_count,
        coalesce(max(lines.line), 0) as last_line
    from lines
)

select
    said.section,
    said.line_count,
    numbered.last_line
from said
cross join numbered
where
    said.line_count = 0
    or numbered.last_line <> numbered.line_count
