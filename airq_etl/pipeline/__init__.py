"""The imperative shell: read, call the core, write. One module a step."""
