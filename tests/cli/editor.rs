//! What editors show of perilune: a language server, started on a folder that `perilune types` has prepared, and asked as editors ask.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{folder, of_setup, run};

/// The version that scripts/setup --test installs.
const SERVER: &str = "emmylua_ls-0.25.1/bin/emmylua_ls";
const PATIENCE: Duration = Duration::from_secs(120);

struct Server {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Json>,
    asked: u64,
    root: String,
}

impl Server {
    /// Started on a folder, as far as that editors may ask.
    fn start(program: &Path, folder: &Path) -> Server {
        let mut child = Command::new(program)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, messages) = channel();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            while let Some(message) = message(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut server = Server {
            input: child.stdin.take().unwrap(),
            child,
            messages,
            asked: 0,
            root: format!("file://{}", folder.canonicalize().unwrap().display()),
        };
        let root = server.root.clone();
        let answer = server.ask(
            "initialize",
            json!({
                "processId": std::process::id(), "rootUri": root, "workspaceFolders": [{ "uri": root, "name": "scripts" }],
                "capabilities": {
                    "textDocument": { "completion": {}, "hover": { "contentFormat": ["markdown"] }, "diagnostic": {} },
                    "workspace": { "configuration": true },
                },
            }),
        );
        assert!(
            answer["capabilities"]["completionProvider"].is_object(),
            "{answer}"
        );
        server.tell("initialized", json!({}));
        server
    }

    fn send(&mut self, mut message: Json) {
        message["jsonrpc"] = json!("2.0");
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn tell(&mut self, method: &str, params: Json) {
        self.send(json!({ "method": method, "params": params }));
    }

    #[track_caller]
    fn ask(&mut self, method: &str, params: Json) -> Json {
        self.asked += 1;
        let id = self.asked;
        self.send(json!({ "id": id, "method": method, "params": params }));
        loop {
            let message = self.messages.recv_timeout(PATIENCE).expect("the server answers");
            match (message.get("method"), message.get("id")) {
                // It asks back for settings, which there are none of beside the files.
                (Some(_), Some(theirs)) => {
                    let items = message["params"]["items"].as_array().map_or(0, Vec::len);
                    let result = match items {
                        0 => Json::Null,
                        items => json!(vec![Json::Null; items]),
                    };
                    let theirs = theirs.clone();
                    self.send(json!({ "id": theirs, "result": result }));
                }
                (None, Some(theirs)) if *theirs == json!(id) => {
                    assert!(message.get("error").is_none(), "{method}: {message}");
                    return message["result"].clone();
                }
                _ => {}
            }
        }
    }

    fn open(&mut self, name: &str, text: &str) -> Json {
        let uri = format!("{}/{name}", self.root);
        self.tell(
            "textDocument/didOpen",
            json!({ "textDocument": { "uri": uri, "languageId": "lua", "version": 1, "text": text } }),
        );
        json!({ "uri": uri })
    }

    /// Asks until the answer holds `part`: the stubs are read while the first questions come in.
    #[track_caller]
    fn ask_for(&mut self, part: &str, method: &str, params: &Json) -> Json {
        let mut answer = Json::Null;
        for _ in 0..60 {
            answer = self.ask(method, params.clone());
            if answer.to_string().contains(part) {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        panic!("`{part}` is not in the answer to {method}: {answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next message: a length, an empty line, and JSON.
fn message(output: &mut impl BufRead) -> Option<Json> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok()?
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut text = vec![0; length];
    output.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[test]
fn a_language_server_completes_explains_and_warns_from_the_types() {
    let Some(program) = of_setup(SERVER) else {
        return;
    };
    let here = folder(&[]);
    assert_eq!(run(here.path(), &["types", "."]).code, 0);
    let mut server = Server::start(&program, here.path());

    let text = "local raster, filter = require \"raster\", require \"filter\"\n\
        local p = params { path = \"vv.tif\" }\n\
        local image = raster.open(p.path)\n\
        local smooth = filter.lee(image, { looks = 4 })\n\
        print(smooth.VV, image.grid.rosw)\n\
        raster.opne(\"vh.tif\")\n\
        image:\n";
    let script = server.open("script.lua", text);
    let at = |line: usize, column: usize| json!({ "textDocument": script, "position": { "line": line, "character": column } });

    // Behind `raster.`, the functions of the module; behind `image:`, the methods of what `raster.open` gives.
    let functions = server
        .ask_for("\"from_json\"", "textDocument/completion", &at(5, 7))
        .to_string();
    assert!(
        functions.contains("\"open\"") && functions.contains("\"write_all\""),
        "{functions}"
    );
    let methods = server
        .ask_for("\"to_db\"", "textDocument/completion", &at(6, 6))
        .to_string();
    assert!(methods.contains("\"reproject\""), "{methods}");
    // A function explains itself in the words of the library.
    let about = server
        .ask_for("raster.OpenOptions", "textDocument/hover", &at(2, 22))
        .to_string();
    assert!(about.contains("Opens an image"), "{about}");
    // What is not there is marked, and only that: the modules and `params` are known.
    let marked = server.ask_for(
        "`opne`",
        "textDocument/diagnostic",
        &json!({ "textDocument": script }),
    );
    let fields: Vec<&Json> = marked["items"].as_array().unwrap().iter().collect();
    let of_code = |code: &str| {
        fields
            .iter()
            .filter(|d| d["code"] == code)
            .map(|d| d["range"]["start"]["line"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of_code("undefined-field"), [json!(4), json!(5)], "{marked}");
    assert!(
        of_code("undefined-global").is_empty() && of_code("unresolved-require").is_empty(),
        "{marked}"
    );
    // The comment that silences perilune's own lint silences the server.
    let silenced = server.open("silenced.lua", "local raster = require \"raster\"\n---@diagnostic disable-next-line: undefined-field\nraster.opne()\nraster.opne2()\n");
    let marked = server.ask_for(
        "`opne2`",
        "textDocument/diagnostic",
        &json!({ "textDocument": silenced }),
    );
    assert!(!marked.to_string().contains("`opne`"), "{marked}");
    server.ask("shutdown", Json::Null);
    server.tell("exit", Json::Null);
}
