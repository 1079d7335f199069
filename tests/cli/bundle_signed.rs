//! Signatures of bundles, beside those of ssh-keygen.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use super::assert_holds;
use super::bundle::{at, done, handed_on, place, ran};
use super::pty::Terminal;

const NAME: &str = "water.bundle.lua";

/// Whether OpenSSH is there; a machine without it has the tests of `share/bundle`.
fn has_keygen() -> bool {
    let found = Command::new("ssh-keygen")
        .arg("-?")
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !found {
        eprintln!("ssh-keygen is not installed: its signatures are not tried");
    }
    found
}

/// A key pair, of this kind.
fn key(here: &Path, name: &str, kind: &str, passphrase: &str) -> String {
    let path = here.join(name);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "a comment", "-f"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    path.display().to_string()
}

fn keygen(arguments: &[&str], input: &Path) -> bool {
    let done = Command::new("ssh-keygen")
        .args(arguments)
        .stdin(fs::File::open(input).unwrap())
        .output()
        .unwrap();
    done.status.success()
}

/// Writes a line of known signers for the public key.
fn know(here: &Path, name: &str, key: &str) {
    let folder = here.join("home/.config/perilune");
    fs::create_dir_all(&folder).unwrap();
    let public = fs::read_to_string(format!("{key}.pub")).unwrap();
    let path = folder.join("allowed_signers");
    fs::write(&path, format!("{name} namespaces=\"perilune-bundle\" {public}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn ssh_keygen_and_perilune_accept_each_other() {
    if !has_keygen() {
        return;
    }
    for kind in ["ed25519", "ecdsa"] {
        let here = place();
        let here = here.path();
        let key = key(here, "id", kind, "");
        let told = done(
            here,
            "author",
            &["bundle", "water.lua", "-p", "scene=data/a.tif", "--sign", &key],
        );
        assert_holds(&told, "your key is known as `me`");
        let bundle = here.join("author").join(NAME);
        let signature = format!("{}.sig", bundle.display());
        let signers = here
            .join("home/.config/perilune/allowed_signers")
            .display()
            .to_string();
        let verify = [
            "-Y",
            "verify",
            "-f",
            &signers,
            "-I",
            "me",
            "-n",
            "perilune-bundle",
            "-s",
            &signature,
        ];
        assert!(keygen(&verify, &bundle), "ssh-keygen does not accept ours");
        // Signed by oneself it is a script of one's own: nobody is asked.
        done(here, "author", &["run", NAME]);
        // Theirs, by us.
        fs::remove_file(&signature).unwrap();
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", "perilune-bundle", "-f", &key])
            .arg(&bundle)
            .status()
            .unwrap();
        assert!(signed.success());
        done(here, "author", &["run", NAME]);
        assert_holds(
            &done(here, "author", &["inspect", NAME]),
            "signed by    yourself, with SHA256:",
        );
        // A signature for something else is none of a bundle.
        fs::remove_file(&signature).unwrap();
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", "file", "-f", &key])
            .arg(&bundle)
            .status()
            .unwrap();
        assert!(signed.success());
        assert_holds(&ran(here, "author", &["run", NAME]).err, "it was made for `file`");
    }
}

#[test]
fn forged_and_foreign_signatures_are_errors() {
    if !has_keygen() {
        return;
    }
    let keys = tempfile::tempdir().unwrap();
    let alices = key(keys.path(), "alice", "ed25519", "");
    let here = handed_on(&["--sign", &alices]);
    let here = here.path();
    // The author's folder for settings is the colleague's: she knows nobody yet.
    let signers = here.join("home/.config/perilune/allowed_signers");
    fs::remove_file(&signers).unwrap();
    let run = ran(here, "colleague", &["--allow-all", "run", NAME]);
    assert_eq!(run.code, 2, "{run:?}");
    assert_holds(&run.err, "is signed by a key that you do not know: SHA256:");
    assert_holds(&run.err, "NAME namespaces=\"perilune-bundle\" ssh-ed25519 ");
    assert!(!here.join("colleague/out").exists());
    assert_holds(
        &done(here, "colleague", &["inspect", NAME]),
        "a key that you do not know: SHA256:",
    );
    // Known, she is named, and the script is still one of others.
    know(here, "alice@example.org", &alices);
    let run = ran(here, "colleague", &["run", NAME]);
    assert_holds(&run.err, "there is no terminal");
    let told: Json = serde_json::from_str(&done(here, "colleague", &["inspect", "--json", NAME])).unwrap();
    assert_eq!(told["signed_by"]["name"], "alice@example.org");
    let mut command = at(here, "colleague");
    command.args(["-q", "run", NAME]);
    let mut asked = Terminal::of(command);
    asked.expect("signed by alice@example.org, with SHA256:");
    asked.expect("show: its text] ");
    asked.send("yes\r");
    asked.expect("factor");
    assert_eq!(asked.ended(), 0);
    let answers = fs::read_to_string(here.join("home/.config/perilune/permissions.json")).unwrap();
    assert_holds(&answers, "\"signer\": \"alice@example.org SHA256:");
    // The answer was to what she signed: without her it is asked about anew.
    done(here, "colleague", &["run", NAME]);
    let signature = here.join("colleague").join(format!("{NAME}.sig"));
    let good = fs::read(&signature).unwrap();
    fs::remove_file(&signature).unwrap();
    assert_holds(
        &ran(here, "colleague", &["run", NAME]).err,
        "there is no terminal",
    );
    // Another's signature, one of other bytes, and none at all in its place.
    fs::write(&signature, &good).unwrap();
    let bundle = here.join("colleague").join(NAME);
    let text = fs::read_to_string(&bundle).unwrap();
    fs::write(&bundle, text.replacen("[requires]", "# a word\n[requires]", 1)).unwrap();
    for arguments in [
        &["--allow-all", "run", NAME][..],
        &["inspect", NAME],
        &["verify", NAME],
        &["unpack", NAME],
    ] {
        let run = ran(here, "colleague", arguments);
        assert!(run.code != 0, "{run:?}");
        assert_holds(&run.err, "does not hold: the bundle is not what was signed");
    }
    fs::write(&bundle, text).unwrap();
    for wrong in [
        "",
        "signed, Alice",
        "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n",
    ] {
        fs::write(&signature, wrong).unwrap();
        assert_holds(
            &ran(here, "colleague", &["--allow-all", "run", NAME]).err,
            "is no signature of a bundle",
        );
    }
    fs::write(&signature, vec![b'a'; 1 << 20]).unwrap();
    assert_holds(
        &ran(here, "colleague", &["--allow-all", "run", NAME]).err,
        "it is too long",
    );
    // Others than she could have written whom she knows.
    fs::write(&signature, &good).unwrap();
    fs::set_permissions(&signers, fs::Permissions::from_mode(0o666)).unwrap();
    assert_holds(
        &ran(here, "colleague", &["--allow-all", "run", NAME]).err,
        "others than you can write it",
    );
}

#[test]
fn keys_that_do_not_sign_say_why() {
    if !has_keygen() {
        return;
    }
    let here = place();
    let here = here.path();
    let sign = |key: &str| {
        let run = ran(here, "author", &["bundle", "water.lua", "--sign", key]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(!here.join("author").join(NAME).exists());
        run.err
    };
    let locked = key(here, "locked", "ed25519", "a passphrase");
    assert_holds(&sign(&locked), "has a passphrase");
    assert_holds(&sign(&locked), "ssh-keygen -Y sign -n perilune-bundle");
    assert_holds(&sign(&format!("{locked}.pub")), "this is the public key");
    let rsa = key(here, "rsa", "rsa", "");
    assert_holds(&sign(&rsa), "ed25519 and ecdsa");
    fs::write(here.join("author/plain.lua"), "print 'it ran'").unwrap();
    done(here, "author", &["bundle", "plain.lua"]);
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", "perilune-bundle", "-f", &rsa])
        .arg(here.join("author/plain.bundle.lua"))
        .status()
        .unwrap();
    assert!(signed.success());
    let run = ran(here, "author", &["--allow-all", "run", "plain.bundle.lua"]);
    assert_holds(&run.err, "is signed by a key that you do not know");
    assert!(run.out.is_empty(), "{run:?}");
    know(here, "ada@example.org", &rsa);
    assert_holds(
        &done(here, "author", &["inspect", "plain.bundle.lua"]),
        "ada@example.org, with SHA256:",
    );
    assert_eq!(
        done(here, "author", &["--allow-all", "run", "plain.bundle.lua"]),
        "it ran\n"
    );
    // Of another content, and of another signature.
    let (bundle, signature) = (
        here.join("author/plain.bundle.lua"),
        here.join("author/plain.bundle.lua.sig"),
    );
    let (text, sound) = (
        fs::read(&bundle).unwrap(),
        fs::read_to_string(&signature).unwrap(),
    );
    done(here, "author", &["bundle", "plain.lua", "--license", "MIT"]);
    fs::write(&signature, &sound).unwrap();
    let run = ran(here, "author", &["--allow-all", "run", "plain.bundle.lua"]);
    assert_holds(&run.err, "does not hold");
    fs::write(&bundle, text).unwrap();
    let lines: Vec<&str> = sound.lines().collect();
    let last = lines[lines.len() - 2];
    let changed = sound.replace(
        last,
        &last
            .chars()
            .map(|c| if c == 'A' { 'B' } else { 'A' })
            .take(1)
            .chain(last.chars().skip(1))
            .collect::<String>(),
    );
    fs::write(&signature, changed).unwrap();
    let run = ran(here, "author", &["--allow-all", "run", "plain.bundle.lua"]);
    assert_ne!(run.code, 0, "{run:?}");
    assert!(run.out.is_empty(), "{run:?}");
    assert_holds(&sign("gone"), "gone");
    fs::write(here.join("author/text"), "a text").unwrap();
    assert_holds(&sign("text"), "is no private key of OpenSSH");
    // A bundle that is made anew without a key has no signature left that is not its own.
    let own = key(here, "own", "ed25519", "");
    done(here, "author", &["bundle", "water.lua", "--sign", &own]);
    let signature = here.join("author").join(format!("{NAME}.sig"));
    assert!(signature.exists());
    done(here, "author", &["bundle", "water.lua", "-p", "factor=4"]);
    assert!(!signature.exists());
}
