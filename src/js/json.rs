//! What JavaScript is told, as JSON; of what is never to be escaped.

#[derive(Default)]
pub(super) struct Json {
    pub text: String,
}

impl Json {
    pub fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// `name` with the brackets and commas around it.
    pub fn number(&mut self, name: &str, number: u64) {
        self.raw(name);
        self.raw(itoa::Buffer::new().format(number));
    }
}
