/// Prints the name of the case if a script panics.
pub struct NamedOnPanic(pub String);

impl Drop for NamedOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}
