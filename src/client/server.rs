//! What a client has learnt of its server: plain data, shared between requests.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;

use crate::recent::Recent;
use crate::script::{Form, Script, Sha1};

/// Which scripts it has, in which form, and how far its replicas must have come.
pub(crate) struct Server {
    /// What tells it from other servers of this thread.
    #[cfg_attr(
        not(feature = "js-client"),
        allow(dead_code, reason = "for the face of the npm package")
    )]
    pub id: u64,
    form: Form,
    /// The form is no guess any more.
    form_known: bool,
    scripts: Vec<Sha1>,
    /// It answers JSON whatever it is asked for, so bytes are asked for as base64.
    json: bool,
    most_bytes: usize,
    /// It has no commands in paths.
    pathless: bool,
    /// It has answered in one way or another.
    answered: bool,
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

/// What Upstash takes by default.
const MOST_BYTES: usize = 10_000_000;

/// Past so many scripts they are made anew at each call, and it is forgotten which ones the server has.
const MOST_SCRIPTS: usize = 1_000;

thread_local! {
    /// Of all servers, so that what is forgotten of one and learnt again goes on counting.
    static WRITTEN: Cell<u64> = const { Cell::new(0) };
    /// By URL: people build clients inside handlers, and each of them would have to learn it all again.
    static KNOWN: RefCell<Recent<Rc<RefCell<Server>>>> = const { RefCell::new(Recent::new(MOST)) };
}

impl Server {
    /// What this thread has learnt of the server at `url`.
    pub fn at(url: &str) -> Rc<RefCell<Self>> {
        let Ok(server) =
            KNOWN.with_borrow_mut(|known| known.get(url, || Ok::<_, Infallible>(Rc::default())));
        server
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            id: Self::next_number(),
            form: Form::Locking,
            form_known: false,
            scripts: Vec::new(),
            json: false,
            most_bytes: MOST_BYTES,
            pathless: false,
            answered: false,
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
    /// Nothing that was loaded with that line can be there, so nothing is known any more. It is not `certain` where it
    /// may have been the script that was wrong.
    pub fn refuses_locking(&mut self, certain: bool) {
        self.form_known |= certain;
        if self.form == Form::Locking {
            self.form = Form::Plain;
            self.scripts.clear();
        }
    }

    /// A script was wrong in its plain form too, so its failure said nothing of the other one.
    pub fn doubts_form(&mut self) {
        if !self.form_known && self.form == Form::Plain {
            self.form = Form::Locking;
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

    pub fn answers(&mut self) {
        self.answered = true;
    }

    /// A browser gave no answer of it. Until there has been one, a preflight may have refused the header of the format
    /// that was asked for: the other one is asked for next.
    pub fn blocked(&mut self, asked: Format) {
        if !self.answered {
            self.json = asked == Format::Resp2;
        }
    }

    /// Larger requests than this are not written; a command that is longer goes alone, for the server to judge.
    pub fn most_bytes(&self) -> usize {
        self.most_bytes
    }

    pub fn takes_bytes(&mut self, most: usize) {
        self.most_bytes = most;
    }

    /// Whether a command may be a path, its last argument the body.
    pub fn takes_paths(&self) -> bool {
        !self.pathless
    }

    pub fn refuses_paths(&mut self) {
        self.pathless = true;
    }

    pub fn has(&self, script: &Script) -> bool {
        self.scripts.contains(script.id())
    }

    /// An EVAL of the script in this form was answered: only then does the server have it.
    pub fn loaded(&mut self, script: &Script, form: Form) {
        // One that is the same in both forms tells nothing of what the server takes.
        if script.has_forms() {
            self.form_known = true;
        }
        if form == self.form && !self.has(script) {
            if self.scripts.len() >= MOST_SCRIPTS {
                self.scripts.clear();
            }
            self.scripts.push(*script.id());
        }
    }

    /// The server said NOSCRIPT.
    pub fn lost(&mut self, script: &Script) {
        self.scripts.retain(|known| known != script.id());
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
