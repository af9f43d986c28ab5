//! A real file system that is full: before the request nothing is sent, after it the answer has its room.
//!
//! It is mounted in a mount namespace of its own; where the system does not allow one, the test says so and ends.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::bench::Bench;
use crate::support::program::Program;

/// The bench's data directory on a small file system, in a namespace that lives as long as this.
struct Small {
    holder: Child,
    data_dir: PathBuf,
}

impl Small {
    /// `None` where it cannot be mounted; `kind` is `tmpfs` or one that `mkfs` makes.
    fn mount(bench: &Bench, kind: &str) -> Option<Self> {
        let script = "set -e; cp -a \"$0\" \"$0.seed\"; mount --make-rprivate /
            if [ \"$1\" = tmpfs ]; then mount -t tmpfs -o size=2m,mode=700 tmpfs \"$0\"
            else truncate -s \"$2\" \"$0.img\"; \"mkfs.$1\" -q \"$0.img\"; mount -o loop \"$0.img\" \"$0\"; chmod 700 \"$0\"; fi
            cp -a \"$0.seed/.\" \"$0\"; echo mounted; exec sleep 600";
        let size = if kind == "ext4" { "8M" } else { "320M" };
        let mut holder = Command::new("unshare")
            .args(["-m", "sh", "-c", script])
            .arg(bench.data_dir())
            .args([kind, size])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let small = Self { holder, data_dir: bench.data_dir() };
        (line == "mounted\n").then_some(small)
    }

    /// A path in the data directory, seen from outside.
    fn path(&self, file: &str) -> PathBuf {
        let inside = self.data_dir.strip_prefix("/").unwrap().join(file);
        Path::new(&format!("/proc/{}/root", self.holder.id())).join(inside)
    }

    fn command(&self, bench: &Bench, args: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.holder.id().to_string(), "-m", crate::support::file_home::BINARY]).args(args);
        command.env_clear().envs(&bench.env);
        command
    }

    /// Fills it to the last block.
    fn fill(&self) {
        let mut file = File::create(self.path("filler")).unwrap();
        for piece in [64 * 1024, 4096, 512, 1] {
            let piece = vec![b'x'; piece];
            while file.write_all(&piece).and_then(|()| file.sync_all()).is_ok() {}
        }
        assert!(fs::write(self.path("one-more"), vec![b'x'; 8192]).is_err(), "it is not full");
        let _ = fs::remove_file(self.path("one-more"));
        while file.write_all(b"x").and_then(|()| file.sync_all()).is_ok() {}
    }

    fn empty(&self) {
        fs::remove_file(self.path("filler")).unwrap();
    }

    fn journal(&self) -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(self.path("journals/factory.json")).unwrap()).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("journals")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // The namespace, and what is mounted in it, go with its last process.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Each kind of file system that can be had here.
async fn on_each(test: impl AsyncFn(&Bench, &Small)) {
    for kind in ["tmpfs", "ext4", "xfs", "btrfs"] {
        let bench = Bench::new().await;
        match Small::mount(&bench, kind) {
            Some(small) => {
                println!("on {kind}");
                test(&bench, &small).await;
            }
            None => println!("not tried on {kind}: it cannot be mounted here"),
        }
    }
}

#[tokio::test]
async fn a_disk_that_is_full_before_the_request_sends_nothing() {
    on_each(async |bench, small| {
        small.fill();
        let ended = Program::start(&mut small.command(bench, &["refresh", "factory", "--force"])).end().expect(6);
        assert!(ended.stderr.contains("No space left on device"), "{}", ended.stderr);
        assert_eq!(bench.manu().stats().token_posts.total(), 0);
        assert_eq!(small.journal()["state"], "settled");
        small.empty();
        let ended = Program::start(&mut small.command(bench, &["refresh", "factory", "--force"])).end().expect(0);
        assert_eq!(ended.stdout, "factory: refreshed, generation 42\n");
        assert_eq!(small.files(), ["factory.json"]);
    })
    .await;
}

#[tokio::test]
async fn a_disk_that_fills_up_before_the_answer_has_its_room_in_the_journal() {
    on_each(async |bench, small| {
        bench.hold_back(Duration::from_secs(3));
        let refresh = Program::start(&mut small.command(bench, &["refresh", "factory", "--force"]));
        bench.until_rotations(1);
        small.fill();
        let ended = refresh.end();
        let journal = small.journal();
        assert_eq!(journal["generation"], 42, "{ended:?}");
        // What the journal did not need of its room is free again, and mostly enough for the store.
        if ended.code == Some(0) {
            assert_eq!(journal["state"], "settled");
        } else {
            let ended = ended.expect(6);
            assert!(ended.stderr.contains("factory: not saved yet: "), "{}", ended.stderr);
            assert!(ended.stderr.contains("it is safe in the journal"), "{}", ended.stderr);
            assert_eq!(journal["state"], "received");
        }
        small.empty();
        let ended = Program::start(&mut small.command(bench, &["token", "factory", "--json"])).end().expect(0);
        let token: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(token["generation"], 42);
        let ended = Program::start(&mut small.command(bench, &["refresh", "factory", "--force"])).end().expect(0);
        assert_eq!(ended.stdout, "factory: refreshed, generation 43\n", "the newest token was sent");
        let stats = bench.manu().stats();
        assert_eq!((stats.token_posts.refresh_token, stats.reuses_detected), (2, 0));
        assert_eq!(small.files(), ["factory.json"]);
    })
    .await;
}
