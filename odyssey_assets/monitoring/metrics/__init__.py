"""What Prometheus is shown of the published database, by the dashboard that shows it."""
