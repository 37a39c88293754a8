-- asset: marts.mart_feature_catalog
-- description: Every stored feature has its formula, source, group and lookback in the comment of
-- its column.
-- severity: error
-- blocking: false
select
    catalog.feature,
    catalog.feature_group,
    catalog.lookback_sessions,
    catalog.formula
from marts.mart_feature_catalog as catalog
where
    catalog.lookback_sessions is null
    or catalog.feature_group = ''
    or catalog.formula = ''
