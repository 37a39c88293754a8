-- description: Bounds by which each session's log return was clipped, from the ticker's own past.
-- grain: ticker, date
select
    clip_thresholds.ticker,
    clip_thresholds.date,
    clip_thresholds.log_return,
    clip_thresholds.lower_log_return,
    clip_thresholds.upper_log_return,
    clip_thresholds.is_clipped
from features.clip_thresholds as clip_thresholds
