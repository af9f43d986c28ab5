//! The demo's story: six connections in various states, and the configuration that goes with them.

use std::fmt::Write as _;

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use crate::demo::Servers;
use crate::demo::issued::{Issued, random_text};
use crate::domain::{ConnectionName, Secret, TokenRecord};

/// A loopback redirect URI without a port: a free one is chosen at login (RFC 8252 §7.3).
const LOOPBACK: &str = "http://127.0.0.1/callback";
/// A redirect URI on another site: its login is finished by pasting the final URL.
const FOREIGN: &str = "https://www.getpostman.com/oauth2/callback";
/// What every grant of the demo is for.
pub const SCOPE: &str = "API_ALL";

/// Six connections, known to the servers, ready to be put before a person.
pub struct Story {
    /// The configuration file, as TOML. It holds no secret.
    pub configuration: String,
    /// The connections, in the configuration's order.
    pub characters: Vec<Character>,
    /// Clients for connections that a person adds, one for each provider.
    pub spare: Vec<Spare>,
}

/// A client that no connection of the story has: what the form of a new one begins with.
pub struct Spare {
    /// Its keys of the configuration and their values, the provider's first; without a name.
    pub texts: Vec<(&'static str, String)>,
    /// Its client secret.
    pub client_secret: Secret,
}

/// One connection of the story.
pub struct Character {
    /// Its name in the configuration.
    pub name: ConnectionName,
    /// What it is there to show, in a few words.
    pub shows: &'static str,
    /// The client secret the person has. The one of `payroll` is wrong, and meant to be.
    pub client_secret: Secret,
    /// The one that the server knows.
    pub registered_secret: Secret,
    /// The tokens it begins with; none when it never logged in.
    pub record: Option<TokenRecord>,
}

/// Registers the six connections with the servers and issues their tokens, by the servers' clock.
#[must_use]
pub fn set_up(servers: &Servers) -> Story {
    let mut teller =
        Teller { servers, story: Story { configuration: opening(), characters: Vec::new(), spare: Vec::new() } };
    teller.factory();
    teller.warehouse();
    teller.hr_sync();
    teller.sandbox();
    teller.payroll();
    teller.partner();
    teller.spare();
    teller.story
}

impl Story {
    /// The story for people: the configuration, then how to put each client secret in its place.
    /// All of it together is still a TOML file. It shows the demo's client secrets, which open
    /// nothing but the demo; it leaves out the tokens: anyone who reads it logs in.
    #[must_use]
    pub fn for_people(&self) -> String {
        let mut text = format!("# Save as a file and start: manutop --config FILE\n{}", self.configuration);
        text.push_str("\n# Client secrets, to be set once before logging in:\n");
        for Character { name, shows, client_secret, record, .. } in &self.characters {
            let secret = client_secret.expose();
            // What the others show is the age of their tokens, which are left out.
            let remark = if record.is_none() { format!("# ({shows})\n") } else { String::new() };
            // Writing to a String cannot fail.
            let _ = write!(text, "#\n{remark}# printf %s '{secret}' | manutop --config FILE secret set {name}\n");
        }
        text
    }
}

struct Teller<'a> {
    servers: &'a Servers,
    story: Story,
}

impl Teller<'_> {
    fn factory(&mut self) {
        let secret = self.manu_client("factory", LOOPBACK, true);
        let issued = self.servers.manu().issue_aged(&client_id("factory"), SCOPE, TimeDelta::seconds(2));
        self.add("factory", "live", secret, Some((issued, 41)));
    }

    /// Issued so long ago that an automatic refresh is due within seconds.
    fn warehouse(&mut self) {
        let secret = self.manu_client("warehouse", LOOPBACK, true);
        let manu = self.servers.manu();
        let lifetime = manu.access_lifetime();
        let due = (lifetime / 5).max(TimeDelta::seconds(60));
        let age = (lifetime - due - TimeDelta::seconds(12)).max(TimeDelta::zero());
        let issued = manu.issue_aged(&client_id("warehouse"), SCOPE, age);
        self.add("warehouse", "an automatic refresh is soon due", secret, Some((issued, 12)));
    }

    fn hr_sync(&mut self) {
        let manus = self.servers.manus();
        let (id, secret) = (manus_client_id("hr-sync"), random_hex());
        manus.register_client(&id, &secret);
        let issued = manus.issue_aged(&id, manus.access_lifetime() / 3);
        self.manus_section("hr-sync", &id);
        self.add("hr-sync", "live, partly used", secret, Some((issued, 7)));
    }

    fn sandbox(&mut self) {
        let secret = self.manu_client("sandbox", LOOPBACK, true);
        let manu = self.servers.manu();
        let age = manu.access_lifetime() + TimeDelta::hours(3);
        let issued = manu.issue_aged(&client_id("sandbox"), SCOPE, age);
        if let Some(refresh_token) = &issued.refresh_token {
            manu.revoke(refresh_token);
        }
        self.add(
            "sandbox",
            "expired and revoked: the next refresh says that it needs a login",
            secret,
            Some((issued, 3)),
        );
    }

    fn payroll(&mut self) {
        let id = manus_client_id("payroll");
        let registered = random_hex();
        self.servers.manus().register_client(&id, &registered);
        self.manus_section("payroll", &id);
        self.add("payroll", "a wrong client secret, on purpose: misconfigured", registered, None);
        if let Some(payroll) = self.story.characters.last_mut() {
            payroll.client_secret = random_hex();
        }
    }

    fn partner(&mut self) {
        let secret = self.manu_client("partner", FOREIGN, false);
        self.add("partner", "never logged in; its login is finished by pasting the final URL", secret, None);
    }

    /// Everything but the name is ready for a person who adds a connection.
    fn spare(&mut self) {
        let (manu, manus) = (self.servers.manu(), self.servers.manus());
        let (id, secret) = (client_id("spare"), Secret::new(random_text(24)));
        manu.register_client(&id, &secret, &[LOOPBACK, FOREIGN]);
        let texts = vec![
            ("provider", "manu".to_owned()),
            ("client_id", id),
            ("redirect_uri", LOOPBACK.to_owned()),
            ("authorize_url", manu.authorize_url().to_string()),
            ("token_url", manu.token_url().to_string()),
            ("test_url", manu.test_url().to_string()),
        ];
        self.story.spare.push(Spare { texts, client_secret: secret });
        let (id, secret) = (manus_client_id("spare"), random_hex());
        manus.register_client(&id, &secret);
        let texts = vec![
            ("provider", "manus".to_owned()),
            ("client_id", id),
            ("token_url", manus.token_url().to_string()),
            ("test_url", manus.test_url().to_string()),
        ];
        self.story.spare.push(Spare { texts, client_secret: secret });
    }

    /// Registers a Private App and writes its section of the configuration.
    fn manu_client(&mut self, name: &str, redirect_uri: &str, auto_refresh: bool) -> Secret {
        let (manu, id, secret) = (self.servers.manu(), client_id(name), Secret::new(random_text(24)));
        manu.register_client(&id, &secret, &[redirect_uri]);
        let (authorize_url, token_url, test_url) = (manu.authorize_url(), manu.token_url(), manu.test_url());
        let revoke_url = manu.revoke_url();
        self.section(&format!(
            "name = \"{name}\"\nprovider = \"manu\"\nclient_id = \"{id}\"\nredirect_uri = \"{redirect_uri}\"\n\
             scope = \"{SCOPE}\"\nauto_refresh = {auto_refresh}\nauthorize_url = \"{authorize_url}\"\n\
             token_url = \"{token_url}\"\ntest_url = \"{test_url}\"\nrevoke_url = \"{revoke_url}\"\n"
        ));
        secret
    }

    fn manus_section(&mut self, name: &str, id: &str) {
        let manus = self.servers.manus();
        let (token_url, test_url) = (manus.token_url(), manus.test_url());
        self.section(&format!(
            "name = \"{name}\"\nprovider = \"manus\"\nclient_id = \"{id}\"\n\
             token_url = \"{token_url}\"\ntest_url = \"{test_url}\"\n"
        ));
    }

    fn section(&mut self, lines: &str) {
        self.story.configuration.push_str("\n[[connections]]\n");
        self.story.configuration.push_str(lines);
    }

    fn add(&mut self, name: &str, shows: &'static str, client_secret: Secret, held: Option<(Issued, u64)>) {
        let name = ConnectionName::new(name).expect("the story's names are well formed");
        let record = held.map(|(issued, generation)| issued.record(generation));
        let registered_secret = client_secret.clone();
        self.story.characters.push(Character { name, shows, client_secret, registered_secret, record });
    }
}

fn opening() -> String {
    "# Connections to the demo servers inside manutop. No real account is touched.\nstore = \"keyring\"\n".into()
}

fn client_id(name: &str) -> String {
    format!("demo-{name}")
}

/// Manus's client IDs begin with `tm_`.
fn manus_client_id(name: &str) -> String {
    format!("tm_demo_{}", name.replace('-', "_"))
}

/// A client secret as Manus makes them: 64 hex digits.
fn random_hex() -> Secret {
    let digest = Sha256::digest(random_text(32));
    Secret::new(digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")))
}
