-- description: Whether a ticker's window still looks like what its model learned from, at every
-- checkpoint.
-- grain: ticker, window, as_of
select
    drift_summary.ticker,
    drift_summary."window",
    drift_summary.as_of,
    drift_summary.status,
    drift_summary.reason,
    drift_summary.judged_by,
    drift_summary.sessions,
    drift_summary.inputs,
    drift_summary.drifted_inputs,
    drift_summary.share_drifted,
    drift_summary.smallest_p_value,
    drift_summary.share_psi_above_0_1,
    drift_summary.share_psi_above_0_2,
    drift_summary.strongest_feature,
    drift_summary.is_drifted,
    drift_summary.severity,
    drift_summary.model_sha256,
    drift_summary.report_path
from monitoring.drift_summary as drift_summary
