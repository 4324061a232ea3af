//! What a client has learnt of its server: plain data, shared between requests.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::script::{Form, Script};

/// Which scripts it has, in which form, and how far its replicas must have come.
pub(crate) struct Server {
    form: Form,
    /// The form is no guess any more.
    form_known: bool,
    scripts: Vec<&'static Script>,
    /// It answers JSON whatever it is asked for, so bytes are asked for as base64.
    json: bool,
    sync_token: Option<String>,
    synced: u64,
}

/// What is asked for so that bytes come whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `Upstash-Response-Format: resp2`
    Resp2,
    /// `Upstash-Encoding: base64`
    Base64,
}

/// More databases than one program talks to; past it, what was learnt of the one unused longest is forgotten.
const MOST: usize = 32;

thread_local! {
    /// Of all servers, so that what is forgotten of one and learnt again goes on counting.
    static WRITTEN: Cell<u64> = const { Cell::new(0) };
    /// By URL: people build clients inside handlers, and each of them would have to learn it all again.
    static KNOWN: RefCell<Vec<(String, Rc<RefCell<Server>>)>> = const { RefCell::new(Vec::new()) };
}

impl Server {
    /// What this thread has learnt of the server at `url`.
    pub fn at(url: &str) -> Rc<RefCell<Self>> {
        KNOWN.with_borrow_mut(|known| {
            let server = match known.iter().position(|(other, _)| other == url) {
                Some(found) => known.remove(found).1,
                None => Rc::default(),
            };
            if known.len() >= MOST {
                known.remove(0);
            }
            known.push((url.to_owned(), Rc::clone(&server)));
            server
        })
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            form: Form::Locking,
            form_known: false,
            scripts: Vec::new(),
            json: false,
            sync_token: None,
            synced: 0,
        }
    }
}

impl Server {
    pub fn form(&self) -> Form {
        self.form
    }

    /// Whether a script has been answered or refused yet.
    pub fn knows_form(&self) -> bool {
        self.form_known
    }

    /// The server refused the line that asks for key locking.
    ///
    /// Nothing that was loaded with that line can be there, so nothing is known any more.
    pub fn refuses_locking(&mut self) {
        self.form_known = true;
        if self.form == Form::Locking {
            self.form = Form::Plain;
            self.scripts.clear();
        }
    }

    /// How strings are asked for.
    pub fn format(&self) -> Format {
        if self.json {
            Format::Base64
        } else {
            Format::Resp2
        }
    }

    /// It answered JSON where RESP2 was asked for.
    pub fn answers_json(&mut self) {
        self.json = true;
    }

    pub fn has(&self, script: &'static Script) -> bool {
        self.scripts
            .iter()
            .any(|known| std::ptr::eq(*known, script))
    }

    /// An EVAL of the script in this form was answered: only then does the server have it.
    pub fn loaded(&mut self, script: &'static Script, form: Form) {
        self.form_known = true;
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

    /// Numbers the writes, so that their answers can be put in order.
    pub fn next_number() -> u64 {
        WRITTEN.set(WRITTEN.get() + 1);
        WRITTEN.get()
    }

    /// The answer to write `number` came with `token`: the newest write's token counts, whichever answer comes last.
    pub fn synced(&mut self, number: u64, token: Option<String>) {
        if token.is_some() && number > self.synced {
            self.synced = number;
            self.sync_token = token;
        }
    }
}
