//! What a client has learnt of its server: plain data, shared between requests.

use crate::script::{Form, Script};

/// Which scripts it has, in which form, and how far its replicas must have come.
pub(crate) struct Server {
    form: Form,
    scripts: Vec<&'static Script>,
    sync_token: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            form: Form::Locking,
            scripts: Vec::new(),
            sync_token: None,
        }
    }
}

impl Server {
    pub fn form(&self) -> Form {
        self.form
    }

    /// The server refused the line that asks for key locking.
    ///
    /// Nothing that was loaded with that line can be there, so nothing is known any more.
    pub fn refuses_locking(&mut self) {
        if self.form == Form::Locking {
            self.form = Form::Plain;
            self.scripts.clear();
        }
    }

    pub fn has(&self, script: &'static Script) -> bool {
        self.scripts
            .iter()
            .any(|known| std::ptr::eq(*known, script))
    }

    /// An EVAL of the script in this form was answered: only then does the server have it.
    pub fn loaded(&mut self, script: &'static Script, form: Form) {
        if form == self.form && !self.has(script) {
            self.scripts.push(script);
        }
    }

    /// The server said NOSCRIPT.
    pub fn lost(&mut self, script: &'static Script) {
        self.scripts.retain(|known| !std::ptr::eq(*known, script));
    }

    pub fn sync_token(&self) -> Option<&str> {
        self.sync_token.as_deref()
    }

    pub fn synced(&mut self, token: Option<String>) {
        if token.is_some() {
            self.sync_token = token;
        }
    }
}
