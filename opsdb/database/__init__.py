"""What PostgreSQL itself keeps: functions (``sql/``), triggers, constraints and indexes, and what migrations name."""
