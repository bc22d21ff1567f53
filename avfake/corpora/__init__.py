"""The data sets avfake can read: one file per corpus, each with `rows(root)`."""
