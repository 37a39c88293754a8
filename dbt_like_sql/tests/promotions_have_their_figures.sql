-- asset: staging.stg_promotions
-- description: What the gate promotes was compared with what it replaces, on sessions that came
-- before the decision, and no figure stands without its sample size. Forecasters are compared by
-- their errors too, policies by their Sharpe ratios alone.
-- severity: error
-- blocking: false
select
    promotions.decision_id,
    promotions.kind,
    promotions.subject,
    promotions.decision,
    promotions.unseen_sessions,
    promotions.last_unseen,
    promotions.as_of,
    promotions.challenger_sharpe,
    promotions.incumbent_sharpe,
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
            or promotions.p_value_worse is null
            or case promotions.kind
                when 'policy'
                    then coalesce(promotions.challenger_sharpe, promotions.incumbent_sharpe) is null
                else promotions.challenger_rmse is null or promotions.incumbent_rmse is null
            end
        )
    )
    or (
        coalesce(promotions.unseen_sessions, 0) = 0
        and coalesce(
            promotions.challenger_rmse,
            promotions.challenger_sharpe,
            promotions.incumbent_sharpe
        ) is not null
    )
    or (
        promotions.kind = 'policy'
        and coalesce(
            promotions.challenger_rmse,
            promotions.incumbent_rmse,
            promotions.challenger_information_coefficient,
            promotions.incumbent_information_coefficient
        ) is not null
    )
    or promotions.first_unseen > promotions.last_unseen
    or promotions.last_unseen > promotions.as_of
