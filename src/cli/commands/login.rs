//! `manutop login`: prints the URL, waits on the redirect, or reads a pasted answer.

use std::io;
use std::io::{IsTerminal, Write};
use std::sync::Arc;

use eyre::Report;
use serde_json::json;
use tokio::time::Instant;

use crate::cli::commands::dashboard::locale_is_utf8;
use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::paste::Pastes;
use crate::cli::support::session::{NoBrowser, Session};
use crate::cli::support::stderr::message;
use crate::cli::support::unsaved::given_up;
use crate::cli::support::{json, prompt};
use crate::domain::text::neutralise;
use crate::domain::{
    Activity, Author, Command, ConnectionEvent, ConnectionName, ConnectionView, Event, EventKind, LoginView, Redirect,
    Secret, Subject, SubjectChange,
};
use crate::engine::Browser;
use crate::format::event::of_connection;
use crate::format::qr::Picture;
use crate::format::time::Zone;
use crate::platform::browser::SystemBrowser;
use crate::platform::signals::{Insistence, QuitRequest, Signals};
use crate::terminal::osc;

/// Log in, with a browser or with client credentials
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(Debug, clap::Args)]
pub struct LoginArgs {
    /// Connection name
    name: ConnectionName,
    /// Do not start a browser; only print the URL
    #[arg(long)]
    no_browser: bool,
    /// Also print the URL as a QR code, for a browser on another device
    #[arg(long)]
    qr: bool,
    /// Replace tokens of another subject without asking
    #[arg(long, short)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl LoginArgs {
    /// The login of a connection, without options.
    pub(crate) fn of(name: ConnectionName) -> Self {
        Self { name, no_browser: false, qr: false, yes: false, json: false }
    }

    /// Logs one connection in and waits for the end.
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        let name = &self.name;
        let browser: Arc<dyn Browser> = if self.no_browser {
            Arc::new(NoBrowser)
        } else {
            Arc::new(SystemBrowser::new(session.environment.clone()))
        };
        let mut working = session.work_with_browser(std::slice::from_ref(name), browser)?;
        let (mut signals, mut insistence) = (Signals::listen()?, Insistence::default());
        let mut pastes = Pastes::listen()?;
        working.engine.views().await;
        working.engine.send(Command::Login { connection: name.clone() });
        let mut shown = Shown { qr_wanted: self.qr, ..Shown::default() };
        let result = loop {
            tokio::select! {
                event = working.events.recv() => match event {
                    Some(event @ Event::RequestLogged(_)) => working.log.record(&event),
                    Some(Event::Connection(ConnectionEvent { kind: EventKind::SubjectChanged { change }, .. })) => {
                        if let Some(command) = self.decide(&change, &mut shown) {
                            working.engine.send(command);
                        }
                    }
                    Some(event) => if let Some(result) = follow(event, name, &mut shown) { break result },
                    None => break Err(CliError::new(Exit::Failed, "the engine ended unexpectedly")),
                },
                text = pastes.next(), if !shown.answers.input_ended => if let Some(text) = text {
                    if let Some(command) = self.given(text, &mut shown) {
                        working.engine.send(command);
                    }
                } else {
                    shown.answers.input_ended = true;
                    // The end may come after the refusal of the last answer, which has been printed.
                    if shown.answers.refused > 0 && shown.answers.are_over() {
                        break Err(CliError::on(name, Exit::Failed, "there is no more input"));
                    }
                },
                signal = signals.next() => match insistence.on_signal(signal, Instant::now()) {
                    Some(QuitRequest::First) => working.engine.send(Command::Cancel { connection: name.clone() }),
                    Some(QuitRequest::Again) => return Err(given_up(&working.engine.unfinished().await).into()),
                    Some(QuitRequest::Echo) | None => {}
                },
            }
        };
        drop(pastes);
        let subject = match &result {
            Ok(_) => working.engine.views().await.into_iter().find_map(|view| view.token()?.subject.clone()),
            Err(_) => None,
        };
        working.finish().await;
        let end = result?.named(subject);
        if self.json {
            json::print(json!({
                "connection": name,
                "outcome": end.outcome,
                "generation": end.generation,
                "subject": json::subject(end.subject.as_ref()),
            }))?;
        } else {
            writeln!(io::stdout(), "{name}: {}", end.words)?;
        }
        Ok(Exit::Ok)
    }

    /// Whether the tokens of someone else replace those held; `None` while a person is asked.
    fn decide(&self, change: &SubjectChange, shown: &mut Shown) -> Option<Command> {
        let (name, (held, received)) = (&self.name, change.names());
        if self.yes || !prompt::can_ask() || shown.answers.input_ended {
            let advice = if self.yes { "" } else { "; cannot ask for confirmation without a terminal; pass --yes" };
            message!("{name} holds the tokens of {held}; you logged in as {received}{advice}");
            return Some(Command::ConfirmLogin { connection: name.clone(), replace: self.yes });
        }
        shown.question = Some(format!("{name} holds the tokens of {held}; you logged in as {received}. Replace them?"));
        ask(shown);
        None
    }

    /// What a person has given: the answer to a question, or to the login.
    fn given(&self, text: Secret, shown: &mut Shown) -> Option<Command> {
        let connection = self.name.clone();
        if shown.question.is_none() {
            shown.answers.handed_over += 1;
            return Some(Command::FinishLogin { connection, pasted: text });
        }
        // What was typed ahead of the question is no answer to it.
        let answer = text.expose().trim().lines().next_back().unwrap_or_default().trim().to_lowercase();
        let replace = match answer.as_str() {
            "y" | "yes" => true,
            "n" | "no" => false,
            _ => {
                ask(shown);
                return None;
            }
        };
        shown.question = None;
        Some(Command::ConfirmLogin { connection, replace })
    }
}

/// Asks the question there is.
fn ask(shown: &Shown) {
    if let Some(question) = &shown.question {
        message!("{question} [n/y]");
    }
}

/// How a login ended well.
struct LoginSuccess {
    /// The word for it in JSON.
    outcome: &'static str,
    generation: Option<u64>,
    /// Who logged in, as far as the tokens say so.
    subject: Option<Subject>,
    words: String,
}

impl LoginSuccess {
    fn with(outcome: &'static str, words: String, generation: u64) -> Self {
        Self { outcome, generation: Some(generation), subject: None, words }
    }

    /// The same with the name of the person who logged in.
    fn named(self, subject: Option<Subject>) -> Self {
        let words = match (self.outcome, self.generation, &subject) {
            ("logged_in", Some(generation), Some(subject)) => {
                format!("logged in as {}, generation {generation}", neutralise(subject.name(), 200))
            }
            _ => self.words,
        };
        Self { subject, words, ..self }
    }
}

/// The answers so far.
#[derive(Default)]
struct Answers {
    /// Whether there is no way but to paste one.
    are_pasted: bool,
    /// How many texts were handed over, and how many answers were refused.
    handed_over: usize,
    refused: usize,
    /// Standard input has ended.
    input_ended: bool,
}

impl Answers {
    /// Whether the last of them was refused, and there can be no other.
    fn are_over(&self) -> bool {
        self.are_pasted && self.input_ended && self.refused >= self.handed_over
    }
}

/// What a person has been shown already.
#[derive(Default)]
struct Shown {
    /// Whether the URL is to be shown as a QR code too.
    qr_wanted: bool,
    url: bool,
    browser: bool,
    answers: Answers,
    /// The question that waits for a yes or a no.
    question: Option<String>,
}

/// Reports progress on standard error; gives the end, once there is one.
fn follow(event: Event, name: &ConnectionName, shown: &mut Shown) -> Option<Result<LoginSuccess, CliError>> {
    match event {
        Event::Changed(view) => {
            if let ConnectionView { activity: Activity::LoggingIn(login), .. } = *view {
                // A window that was closed must not tear a login whose answer may be on its way.
                let _ = report(&login, shown);
            }
            None
        }
        Event::Connection(event) => end(&event.kind, name, shown),
        _ => None,
    }
}

/// How the login ended, if this event ends it.
fn end(kind: &EventKind, name: &ConnectionName, shown: &mut Shown) -> Option<Result<LoginSuccess, CliError>> {
    let stop = |exit, why: &str| Some(Err(CliError::on(name, exit, why)));
    let words = || of_connection(kind, |at| Zone::Local.date_time(at)).map_or_else(String::new, |said| said.text);
    match kind {
        EventKind::LoggedIn { generation } => Some(Ok(LoginSuccess::with("logged_in", words(), *generation))),
        EventKind::Refreshed { generation, .. } => {
            Some(Ok(LoginSuccess::with("minted", format!("minted, generation {generation}"), *generation)))
        }
        EventKind::Adopted { generation, by } => {
            let words = format!("{} logged in, generation {generation}", Author::subject(*by));
            Some(Ok(LoginSuccess::with("adopted", words, *generation)))
        }
        EventKind::StillFresh { .. } => Some(Ok(LoginSuccess {
            outcome: "still_fresh",
            generation: None,
            subject: None,
            words: format!("{}; manutop refresh --force requests another", words()),
        })),
        EventKind::NotSaved { .. } => {
            stop(Exit::StoreUnavailable, &format!("{}; the next manutop refresh {name} saves it", words()))
        }
        EventKind::InMemoryOnly { .. } => {
            message!("{name}: {}", words());
            None
        }
        EventKind::AnswerRefused { why } => {
            shown.answers.refused += 1;
            if shown.answers.are_over() {
                return stop(Exit::Failed, &format!("{why}; there is no more input"));
            }
            message!("{why}");
            None
        }
        EventKind::RefreshFailed { problem } => Some(Err(CliError::about(name, problem))),
        EventKind::LoginFailed { why, problem } => {
            stop(problem.as_ref().map_or(Exit::Failed, Exit::from), &why.to_string())
        }
        EventKind::Refused { .. } | EventKind::LoginCancelled => stop(Exit::Failed, &words()),
        _ => None,
    }
}

fn report(login: &LoginView, shown: &mut Shown) -> io::Result<()> {
    let mut err = io::stderr().lock();
    if !shown.url {
        shown.url = true;
        writeln!(err, "Open this URL in a browser and log in:\n\n{}\n", linked(&login.url))?;
        if shown.qr_wanted {
            writeln!(err, "{}\n", qr_code(login))?;
        }
        match &login.redirect {
            Redirect::Loopback { uri } => {
                writeln!(err, "Waiting for the browser to return to {uri}.")?;
                writeln!(err, "Or paste the final URL here and press Enter. Ctrl-C cancels.")?;
            }
            Redirect::Pasted { uri } => {
                writeln!(err, "The browser will end at {uri}.")?;
                shown.answers.are_pasted = true;
                writeln!(err, "Paste that URL (or just the code) here and press Enter. Ctrl-C cancels.")?;
            }
        }
    }
    if let (Some(browser), false) = (&login.browser, shown.browser) {
        shown.browser = true;
        match browser {
            Ok(()) => writeln!(err, "A browser was started.")?,
            Err(why) => writeln!(err, "No browser was started: {why}.")?,
        }
    }
    Ok(())
}

/// The URL, on a terminal as a link: there one can be clicked that is broken into several lines.
fn linked(url: &str) -> String {
    let text = neutralise(url, usize::MAX);
    match osc::begin_link(url) {
        Some(opening) if io::stderr().is_terminal() && osc::is_understood() => {
            format!("{opening}{text}{}", osc::END_LINK)
        }
        _ => text,
    }
}

/// The URL as a QR code for standard error, or why there is none.
fn qr_code(login: &LoginView) -> String {
    if let Redirect::Loopback { uri } = &login.redirect {
        return format!("No QR code: afterwards the browser must reach {uri}, which is on this machine only.");
    }
    if !io::stderr().is_terminal() {
        return "No QR code: it is drawn on terminals only.".into();
    }
    let Some(picture) = Picture::of(&login.url, !locale_is_utf8()) else {
        return "No QR code: the URL is too long for one.".into();
    };
    let (width, height) = picture.size();
    match crossterm::terminal::size() {
        // A code of which a part has scrolled away cannot be read either.
        Ok((columns, rows)) if columns < width || rows < height => format!(
            "No QR code: it needs {width} columns and {height} rows, and this terminal has {columns} and {rows}."
        ),
        _ => picture.to_string(),
    }
}
