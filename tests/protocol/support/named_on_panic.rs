/// Says in which of many cases a script panicked, if it does.
pub struct NamedOnPanic(pub String);

impl Drop for NamedOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}
