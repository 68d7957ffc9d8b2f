//! Business hours in one zone. (Written on its own branch.)

/// Business hours in one zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    name: String,
}

impl Calendar {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
