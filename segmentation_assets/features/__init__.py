"""Customer features: declared blocks of SQL, imputation, and the matrix that clusterings are fitted on."""
