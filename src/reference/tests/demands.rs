//! What attached lanes demand.
