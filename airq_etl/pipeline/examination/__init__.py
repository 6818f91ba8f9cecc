"""What `airq-etl doctor` looks at; each module gives the remarks of some checks."""
