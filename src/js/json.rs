//! What JavaScript is told, as JSON.

use crate::wire::json_string_into;

#[derive(Default)]
pub(super) struct Json {
    pub text: String,
}

impl Json {
    pub fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Any text, as a string.
    pub fn string(&mut self, text: &str) {
        let mut string = Vec::new();
        json_string_into(&mut string, text);
        self.text += &String::from_utf8(string).unwrap_or_default();
    }

    /// `name` with the brackets and commas around it.
    pub fn number(&mut self, name: &str, number: u64) {
        self.raw(name);
        self.raw(itoa::Buffer::new().format(number));
    }

    /// `name` with the brackets and commas around it, and a text, escaped.
    pub fn text(&mut self, name: &str, text: &str) {
        self.raw(name);
        self.string(text);
    }
}
