//! A value that one task waits for, on the I/O thread alone.

use std::cell::RefCell;
use std::rc::Rc;

/// The place of the value: filled once, taken once.
#[derive(Debug)]
pub(super) struct OneShot<T>(Rc<RefCell<Option<T>>>);

impl<T> Default for OneShot<T> {
    fn default() -> Self {
        Self(Rc::default())
    }
}

impl<T> Clone for OneShot<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> OneShot<T> {
    pub(super) fn fill(&self, value: T) {
        *self.0.borrow_mut() = Some(value);
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn take(&self) -> Option<T> {
        self.0.borrow_mut().take()
    }
}
