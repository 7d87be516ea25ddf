//! Every end-to-end test, in one binary so that the host is linked once.
