-- asset: marts.mart_data_quality
-- description: Expected sessions of a ticker are present, filled or missing, and nothing else.
-- severity: error
-- blocking: false
select
    quality.subject_kind,
    quality.subject,
    quality.expected_sessions,
    quality.present_sessions,
    quality.filled_sessions,
    quality.missing_sessions
from marts.mart_data_quality as quality
where
    quality.expected_sessions
    <> quality.present_sessions + quality.filled_sessions + quality.missing_sessions
