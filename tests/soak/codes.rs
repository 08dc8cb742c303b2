//! The person with the MFA device: each code once, and the next one when it is there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jumpgate_tests::sts::{MFA_SERIAL, StsDouble};

const STEP: i64 = 30;

/// Codes of alice's device, in the order of their time. AWS takes the step before and the one after too.
#[derive(Clone)]
pub(crate) struct Codes {
    double: Arc<StsDouble>,
    /// The step of the code given last.
    last: Arc<Mutex<i64>>,
}

impl Codes {
    pub(crate) fn new(double: Arc<StsDouble>) -> Self {
        let last = double.now() / STEP - 2;
        Self {
            double,
            last: Arc::new(Mutex::new(last)),
        }
    }

    /// Whether there is one now.
    pub(crate) fn is_ready(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last <= self.double.now() / STEP
    }

    /// The next one; waits for it.
    pub(crate) fn next(&self) -> String {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let now = self.double.now() / STEP;
            let step = (*last + 1).max(now - 1);
            let code = self.double.totp_code_at(MFA_SERIAL, step - now);
            // The step may have changed in between.
            if step <= now + 1 && self.double.now() / STEP == now {
                *last = step;
                return code;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
