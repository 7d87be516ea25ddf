//! What a campaign declares it wants.
