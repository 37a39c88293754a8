-- asset: marts.mart_drift
-- description: A verdict of drift has drifted inputs, a severity and a measurement behind it, and
-- none has them without the verdict.
-- severity: error
-- blocking: false
select
    drift.ticker,
    drift."window",
    drift.as_of,
    drift.status,
    drift.inputs,
    drift.drifted_inputs,
    drift.is_drifted,
    drift.severity
from marts.mart_drift as drift
where
    drift.is_drifted <> (drift.drifted_inputs > 0)
    or drift.is_drifted <> (drift.severity <> 'none')
    or drift.drifted_inputs > drift.inputs
    or (drift.is_drifted and drift.status <> 'measured')
