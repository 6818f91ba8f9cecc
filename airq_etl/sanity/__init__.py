"""Does what is stored make sense? Named checks, each a pure function of the evidence that gives findings."""
