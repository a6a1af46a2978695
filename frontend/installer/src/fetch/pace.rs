//! Whether a body comes fast enough. A server that sends a byte now and then never falls silent, and never ends.

use std::time::{Duration, Instant};

use super::Patience;

/// The pace of one body.
#[derive(Debug)]
pub(super) struct Pace<'a> {
    patience: &'a Patience,
    begun: Instant,
    received: u64,
}

impl<'a> Pace<'a> {
    pub(super) fn new(patience: &'a Patience) -> Self {
        Self { patience, begun: Instant::now(), received: 0 }
    }

    /// Takes note of a piece. What is too slow is told as a sentence.
    pub(super) fn take(&mut self, bytes: u64) -> Result<(), String> {
        self.take_after(bytes, self.begun.elapsed())
    }

    fn take_after(&mut self, bytes: u64, elapsed: Duration) -> Result<(), String> {
        self.received += bytes;
        if elapsed < self.patience.window {
            return Ok(());
        }
        if self.received < self.patience.least {
            return Err(format!("{} bytes in {} seconds", self.received, elapsed.as_secs()));
        }
        *self = Self::new(self.patience);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_has_to_bring_enough() {
        let patience = Patience { window: Duration::from_secs(10), least: 100, ..Patience::default() };
        let mut pace = Pace::new(&patience);
        let after = Duration::from_secs;
        assert_eq!(pace.take_after(1, after(9)), Ok(()));
        assert_eq!(pace.take_after(99, after(10)), Ok(()));
        assert_eq!(pace.take_after(98, after(9)), Ok(()), "a new window");
        assert_eq!(pace.take_after(1, after(11)), Err("99 bytes in 11 seconds".to_owned()));
    }
}
