"""Tables and pages made from the files of results: who comes where, by which protocol, and what the papers print."""
