"""The embedded market: profiles of its tickers, its random factors, its prices and macro series.

Everything here is a causal function of a seed and a name: a later end or a further ticker never
changes a value that exists already. On which basis the prices are delivered belongs to
`sources.simulated`.
"""
