//! Windows against a model that forgets nothing.
