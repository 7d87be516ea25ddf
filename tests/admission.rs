//! What an exchange says to a module that it does not take, what a compilation may cost, and that it is done once.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use gavel::sandbox::{Admitted, Compiler, Excess, Limits, MODULE_BYTES_MAX, Sandbox};
use serde_json::json;
use tempfile::TempDir;

use crate::crash::program::{self, Program};
use crate::exchange::module;

/// Offers a module, in WebAssembly text, and compares what is said about it.
#[track_caller]
fn refused(text: &str, expected: &str) {
    refused_bytes(&wat::parse_str(text).unwrap(), expected);
}

#[track_caller]
fn refused_bytes(wasm: &[u8], expected: &str) {
    let refused = Sandbox::open(&Limits::default()).unwrap().admit(wasm).unwrap_err();
    assert_eq!(format!("{}: {refused}", refused.code()), expected);
}

/// Returns a component that looks like a filter from outside, with this in it.
fn filter(inside: &str) -> String {
    format!(
        r#"(component {inside} (instance $none) (export "gavel:rules/filtering@1.0.0" (instance $none)))"#
    )
}

/// Returns a component that looks like a normalizer from outside, with this core module in it.
fn normalizer(core: &str) -> Vec<u8> {
    let text = format!(
        r#"(component (core module {core}) (instance $none)
            (export "gavel:rules/normalization@1.0.0" (instance $none)))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn what_is_no_webassembly_is_told_what_it_looks_like() {
    for (bytes, looks) in [
        (&b""[..], "there is nothing in it"),
        (b"PK\x03\x04 a zip archive", "it looks like a zip file"),
        (b"\x1f\x8b\x08\x00", "it looks compressed with gzip"),
        (b"\x28\xb5\x2f\xfd", "it looks compressed with zstd"),
        (b"\x7fELF\x02", "it looks like a program for this machine or compiled code of an engine"),
        (b"!<arch>\n", "it looks like a library of object files"),
        (
            b"\n(component)",
            "it looks like its text form: run it through `wat2wasm` or `wasm-tools parse`",
        ),
        (b" {\"name\": 1}", "it looks like JSON"),
        (b"<!doctype html>", "it looks like HTML or XML"),
        (b"\0asm\x09\0\0\0", "or of a version that nobody knows"),
        (b"hello", "it does not begin as WebAssembly does"),
    ] {
        refused_bytes(
            bytes,
            &format!(
                "not-wasm: this is not WebAssembly, {looks}: upload the .wasm file that `gavel module build` writes"
            ),
        );
    }
}

#[test]
fn a_core_module_is_told_how_it_becomes_a_component() {
    refused(
        "(module)",
        "core-module: this is a core module, not a component: build it with `gavel module build`, which wraps it",
    );
    refused(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)) (import "wasi_snapshot_preview1" "x" (func)))"#,
        "core-module: this is a core module, not a component: build it with `gavel module build`, which wraps it; it \
         also imports `wasi_snapshot_preview1`; it was built for a WASI target, where the standard library brings \
         these along; build it for wasm32-unknown-unknown and not for wasm32-wasip2, as `gavel module build` does",
    );
    refused(
        r#"(module (import "__wbindgen_placeholder__" "f" (func)))"#,
        "core-module: this is a core module, not a component: build it with `gavel module build`, which wraps it; it \
         also imports `__wbindgen_placeholder__`; `wasm-bindgen` expects a browser: switch off the feature `js`, \
         `wasm-bindgen` or `wasmbind` of what brings it, often `getrandom`, `uuid` or `chrono`",
    );
}

#[test]
fn what_is_too_large_is_not_even_looked_at() {
    refused_bytes(
        &vec![0; MODULE_BYTES_MAX + 1],
        "too-large: the module has 4194305 bytes, and at most 4194304 are possible: build it with `gavel module \
         build`, which optimises for size, and move large tables into the settings",
    );
}

#[test]
fn a_damaged_module_says_where() {
    let whole = wat::parse_str(filter("(core module (memory 1))")).unwrap();
    let damaged = |fault: &str| {
        format!(
            "damaged: the module is damaged: {fault}; send the bytes of the file as they are, as `curl --data-binary \
             @FILE` does and `curl -d @FILE` does not"
        )
    };
    refused_bytes(&whole[..20], &damaged("unexpected end-of-file (at offset 0x14)"));
    let mut changed = whole.clone();
    changed[8] = 99;
    refused_bytes(&changed, &damaged("malformed section id: 99 (at offset 0xa)"));
}

#[test]
fn an_import_is_named_with_what_usually_brings_it() {
    let imports = |names: &[&str], reasons: &str| {
        let (mut text, mut quoted) = (String::new(), Vec::new());
        for name in names {
            text += &format!(r#"(import "{name}" (instance))"#);
            quoted.push(format!("`{name}`"));
        }
        let quoted = quoted.join(", ");
        refused(
            &format!("(component {text})"),
            &format!(
                "imports: a module gets nothing from outside, but this one imports {quoted}; {reasons}"
            ),
        );
    };
    let target = "build it for wasm32-unknown-unknown and not for wasm32-wasip2, as `gavel module build` does";
    for (name, reason) in [
        (
            "wasi:random/random@0.2.6",
            "randomness comes with `getrandom`, `rand` or `HashMap`: use `BTreeMap`",
        ),
        (
            "wasi:clocks/wall-clock@0.2.6",
            "a clock comes with `std::time` or `chrono`: take `received-on`",
        ),
        (
            "wasi:filesystem/types@0.2.6",
            "files come with `std::fs`: put tables into the code or the settings",
        ),
        (
            "wasi:sockets/tcp@0.2.6",
            "the network is out of reach: the exchange asks remote buyers itself",
        ),
        (
            "wasi:cli/stdout@0.2.6",
            "a terminal and an environment come with `println!`, `std::env` and `std::process`: leave them out",
        ),
    ] {
        imports(&[name], &format!("{reason}; {target}"));
    }
    imports(
        &["wasi:http/types@0.2.6", "wasi:sockets/tcp@0.2.6"],
        &format!("the network is out of reach: the exchange asks remote buyers itself; {target}"),
    );
    imports(
        &["env"],
        "`env` holds what C code declares and nobody defines: link what defines it, and no JavaScript glue",
    );
    imports(
        &["gavel:rules/filtering@1.0.0"],
        "what the contract names is exported, never imported: build it with the guest-sdk of this exchange",
    );
    imports(&["acme:pricing/api"], "leave out the dependency that wants it");
    let many: String =
        (0..10).map(|n| format!(r#"(import "acme:pricing/api-{n}" (instance))"#)).collect();
    let refused = Sandbox::open(&Limits::default())
        .unwrap()
        .admit(&wat::parse_str(format!("(component {many})")).unwrap());
    assert!(refused.unwrap_err().to_string().contains("`acme:pricing/api-7`, and 2 more;"));
}

#[test]
fn a_module_of_another_contract_is_told_which_one_this_is() {
    refused(
        r#"(component (instance $none) (export "gavel:rules/filtering@2.0.0" (instance $none)))"#,
        "other-version: the module was built against version 2.0.0 of the contract (`gavel:rules/filtering@2.0.0`), and \
         this exchange serves version 1.0.0: build it with the guest-sdk of this exchange, or upload it to one that \
         serves 2.0.0",
    );
    refused(
        r#"(component (instance $none) (export "gavel:rules/scoring@1.0.0" (instance $none)))"#,
        "other-version: the module exports `gavel:rules/scoring@1.0.0`, which version 1.0.0 of the contract does not \
         have: a filter exports `gavel:rules/filtering@1.0.0`, a normalizer `gavel:rules/normalization@1.0.0`, an \
         adapter `gavel:rules/adapting@1.0.0`; build it with the guest-sdk of this exchange",
    );
    let neither = |found: &str| {
        format!(
            "other-world: the module is no filter, normalizer or adapter: it exports {found}, and a filter exports \
             `gavel:rules/filtering@1.0.0`, a normalizer `gavel:rules/normalization@1.0.0`, an adapter \
             `gavel:rules/adapting@1.0.0`; end it with `guest_sdk::export_filter!`, `guest_sdk::export_normalizer!` or \
             `guest_sdk::export_adapter!`"
        )
    };
    refused("(component)", &neither("nothing"));
    refused(
        r#"(component (instance $none) (export "acme:pricing/api" (instance $none)))"#,
        &neither("`acme:pricing/api`"),
    );
    refused(
        r#"(component (instance $none)
            (export "gavel:rules/filtering@1.0.0" (instance $none))
            (export "gavel:rules/normalization@1.0.0" (instance $none)))"#,
        "both-worlds: the module is of several worlds at once: make one module for each of them",
    );
    refused(
        &filter(""),
        "other-types: the module's exports have other types than the contract: instance export \
         `gavel:rules/filtering@1.0.0` does not have export `describe`; build it with the guest-sdk of this exchange",
    );
}

#[test]
fn a_feature_that_could_make_two_runs_differ_is_refused() {
    let cases = [
        ("(memory 1 1 shared)", "threads must be enabled for shared memories (at offset 0x15)"),
        ("(memory i64 1)", "memory64 must be enabled for 64-bit memories (at offset 0x15)"),
        ("(tag)", "exceptions proposal not enabled (at offset 0x1a)"),
    ];
    for (inside, fault) in cases {
        refused_bytes(
            &normalizer(inside),
            &format!(
                "invalid: the module is not valid here: {fault}; build it with `gavel module build`, which uses only \
                 what the sandbox has"
            ),
        );
    }
}

#[test]
fn a_module_that_begins_too_large_is_refused_before_it_is_compiled() {
    let memory = "memory: the module begins with 131072000 bytes of memory, and at most 67108864 are possible: make \
                  its static arrays smaller";
    refused(&filter("(core module (memory 2000))"), memory);
    refused(&filter(r#"(core module (import "other" "memory" (memory 2000)))"#), memory);
    refused(
        &filter("(core module (global (mut v128) (v128.const i64x2 0 0)))"),
        "not-keepable: the module cannot be kept as `configure` leaves it: it has a mutable global of 128 bits; build \
         it with the guest-sdk, which avoids that",
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn whatever_there_is_too_much_of_has_its_own_words() {
    let times = |count: usize, text: &str| text.repeat(count);
    let core = |inside: String| filter(&format!("(core module {inside})"));
    let table = |of: Excess| match of {
        Excess::Functions => (
            core(times(of.max() + 1, "(func)")),
            "the module has 20001 functions, and at most 20000 are possible: leave out dependencies, and build with \
             link-time optimisation",
        ),
        Excess::FunctionBytes => (
            core(format!("(func {})", times(of.max(), "nop "))),
            "one function has 524290 bytes, and at most 524288 are possible: make a long `match` or generated code a \
             table",
        ),
        Excess::Locals => (
            core(format!("(func (local {}))", times(of.max() + 1, "i32 "))),
            "one function has 10001 local variables, and at most 10000 are possible: split the function, and put large \
             arrays of values into a `static` or a `Vec`",
        ),
        Excess::Types => (
            core(times(of.max() + 1, "(type (func))")),
            "the module has 10001 types, and at most 10000 are possible: leave out dependencies, or generate less code",
        ),
        Excess::Globals => (
            core(times(of.max() + 1, "(global i32 (i32.const 0))")),
            "the module has 1001 globals, and at most 1000 are possible: keep state in memory rather than in \
             WebAssembly globals",
        ),
        Excess::DataSegments => (
            core(format!("(memory 1) {}", times(of.max() + 1, r#"(data "x")"#))),
            "the module has 10001 data segments, and at most 10000 are possible: let the linker merge them, which it \
             does with `--gc-sections`",
        ),
        Excess::ElementSegments => (
            core(format!("(func $f) {}", times(of.max() + 1, "(elem func $f)"))),
            "the module has 1001 element segments, and at most 1000 are possible: let the linker make one table of all \
             functions",
        ),
        Excess::Memories => (
            filter("(core module (memory 1)) (core module (memory 1))"),
            "the module has 2 memories, and at most 1 are possible: link everything into one core module before it is \
             made a component",
        ),
        Excess::Tables => (
            core(times(of.max() + 1, "(table 1 funcref)")),
            "the module has 3 tables, and at most 2 are possible: let the linker make one table of all functions",
        ),
        Excess::TableElements => (
            core(format!("(table {} funcref)", of.max() + 1)),
            "a table begins with 20001 elements, and at most 20000 are possible: use fewer functions through pointers: \
             trait objects, closures, tables of functions",
        ),
        Excess::Modules => (
            filter(&times(of.max() + 1, "(core module)")),
            "the module has 5 core modules, and at most 4 are possible: link everything into one core module before it \
             is made a component",
        ),
        Excess::Instances => (
            filter(&format!(
                "(core module $m) {}",
                times(of.max() + 1, "(core instance (instantiate $m))")
            )),
            "the module has 5 instances of core modules, and at most 4 are possible: link everything into one core \
             module before it is made a component",
        ),
        Excess::Components => (
            filter(&times(of.max() + 1, "(component)")),
            "the module has 17 components within it, and at most 16 are possible: do not compose components: link the \
             code into one module instead",
        ),
        Excess::Depth => (
            filter(&(times(of.max(), "(component ") + &times(of.max(), ")"))),
            "the module has components in each other, 9 levels deep, and at most 8 are possible: do not compose \
             components: link the code into one module instead",
        ),
        Excess::Exports => (
            filter(
                &(0..of.max())
                    .map(|n| format!(r#"(instance $i{n}) (export "e{n}" (instance $i{n}))"#))
                    .collect::<String>(),
            ),
            "the module has 101 exports, and at most 100 are possible: export the one interface of the contract, and \
             nothing else",
        ),
    };
    for of in Excess::ALL {
        let (text, expected) = table(of);
        refused(&text, &format!("{}: {expected}", of.code()));
    }
}

/// Opens a sandbox that compiles in a process of its own.
fn with_worker(limits: &Limits) -> Sandbox {
    let program = program::path();
    Sandbox::open(limits).unwrap().with_compiler(Compiler::Child { program })
}

#[test]
fn a_worker_compiles_what_the_process_itself_compiles() {
    let (here, there) =
        (Sandbox::open(&Limits::default()).unwrap(), with_worker(&Limits::default()));
    let settings = [r#"{"zips": ["90210"]}"#.to_owned()];
    let evaluated = [here, there].map(|sandbox| {
        let Ok(Admitted::Filter(filter)) = sandbox.admit(&module("zip-list")) else {
            panic!("zip-list is no filter")
        };
        let mut frame = lead_frame::Writer::default();
        frame.text(lead_frame::FieldId::of("zip"), "90210");
        filter.configure(&settings).unwrap().evaluate(&frame.finish(), &[0]).unwrap()
    });
    assert_eq!(evaluated[0], evaluated[1]);
    let invalid = with_worker(&Limits::default()).admit(&normalizer("(func i32.add)"));
    assert_eq!(
        invalid.unwrap_err().to_string(),
        "the module is not valid here: Invalid input WebAssembly code at offset 33: type mismatch: \
         expected i32 but nothing on stack; build it with `gavel module build`, which uses only what the sandbox has"
    );
}

/// Returns a normalizer whose one function takes the compiler long: every block may lead to every later one.
fn bomb(blocks: usize) -> Vec<u8> {
    let within = |labels: usize, local: usize| {
        let labels: String = (0..labels).map(|label| format!("{label} ")).collect();
        format!(
            "end (local.set {} (i64.add (local.get {local}) (i64.const {local}))) (br_table {labels} (local.get 0)) ",
            1 + local * 7 % blocks
        )
    };
    let locals = "i64 ".repeat(blocks);
    let begins = "block ".repeat(blocks);
    let ends: String = (1..=blocks).map(|local| within(blocks + 1 - local, local)).collect();
    normalizer(&format!("(func (param i32) (local {locals}) {begins} {ends})"))
}

#[test]
fn a_compile_bomb_is_stopped_and_its_author_told() {
    let said = |limits: &Limits, wasm: &[u8]| {
        let refused = with_worker(limits).admit(wasm).unwrap_err();
        (refused.code(), refused.to_string())
    };
    let mut limits = Limits::default();
    limits.compile.cpu = Duration::from_secs(1);
    assert_eq!(
        said(&limits, &bomb(640)),
        (
            "compile-time",
            "compiling the module took more than 1 s: split its largest functions, leave out dependencies, and make \
             generated code a table"
                .to_owned()
        )
    );
    let mut limits = Limits::default();
    limits.compile.wall = Duration::from_millis(1);
    // It had no time of its own, so it is not to blame.
    assert_eq!(said(&limits, &module("zip-list")).0, "no-compiler");
    // How much is too little depends on how the program was built, but too little it is from some point down.
    let wasm = module("auto-insurance");
    let mut megabytes = 320;
    loop {
        limits.compile = Limits::default().compile;
        limits.compile.memory_bytes = megabytes * 1024 * 1024;
        if let Err(refused) = with_worker(&limits).admit(&wasm) {
            assert_eq!(
                (refused.code(), refused.to_string()),
                (
                    "compile-memory",
                    format!(
                        "compiling the module took more than {megabytes} MB: split its largest functions, leave out \
                         dependencies, and make generated code a table"
                    )
                )
            );
            break;
        }
        megabytes -= megabytes / 4;
    }
    assert!(megabytes < 320, "the largest shipped module takes more than a third of the memory");
    // And the next one is compiled as ever.
    assert!(with_worker(&Limits::default()).admit(&module("zip-list")).is_ok());
}

#[test]
fn a_worker_has_its_three_descriptors_and_can_open_nothing_more() {
    // Descriptor 7 is one that a careless parent left open.
    let script =
        r#"exec 7</dev/null; exec "$0" compile-worker --memory-bytes 1000000000 --cpu-seconds 9"#;
    let mut worker = Command::new("sh")
        .args(["-c", script])
        .arg(program::path())
        .env_clear()
        .env("MIMALLOC_ARENA_RESERVE", "32MiB")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let proc = PathBuf::from(format!("/proc/{}", worker.id()));
    let limit = |name: &str| {
        let limits = fs::read_to_string(proc.join("limits")).unwrap();
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    };
    // It waits for its module once its hands are tied.
    while limit("Max cpu time") != "9 10" {
        assert!(worker.try_wait().unwrap().is_none(), "the worker has ended");
        std::thread::yield_now();
    }
    assert_eq!(limit("Max open files"), "3 3");
    assert_eq!(limit("Max address space"), "1000000000 1000000000");
    assert_eq!(limit("Max file size"), "0 0");
    assert_eq!(limit("Max core file size"), "0 0");
    assert_eq!(fs::read_dir(proc.join("fd")).unwrap().count(), 3);
    drop(worker.stdin.take());
    assert_eq!(worker.wait().unwrap().code(), Some(1), "nothing is no module");
}

#[test]
fn a_program_that_is_no_compiler_is_no_fault_of_the_module() {
    let admit = |program: &str| {
        let sandbox = Sandbox::open(&Limits::default()).unwrap();
        let sandbox = sandbox.with_compiler(Compiler::Child { program: program.into() });
        sandbox.admit(&module("zip-list")).unwrap_err()
    };
    let missing = admit("/nowhere/gavel");
    assert!(!missing.is_the_modules_fault());
    assert_eq!(
        missing.to_string(),
        "the module could not be compiled on this machine at this moment (No such file or directory (os error 2)); \
         nothing is known against it, so try again"
    );
    assert_eq!(admit("/bin/false").code(), "invalid");
}

/// Returns the files of compiled code in an exchange's directory.
fn compiled(data: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(data.join("compiled")).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
    files.map(|entry| entry.unwrap().path()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn compiled_code_is_kept_for_nobody_else_and_only_whole() {
    let data = TempDir::new().unwrap();
    let open = || Sandbox::open(&Limits::default()).unwrap().with_cache(data.path()).unwrap();
    let admit = || assert!(open().admit(&module("zip-list")).is_ok());
    admit();
    let folder = data.path().join("compiled");
    assert_eq!((mode(&folder), mode(&folder.join("key"))), (0o700, 0o600));

    // Every part of it counts: a flipped bit anywhere, a part that is missing, a part too many.
    type Damage = fn(&mut Vec<u8>);
    let damages: [Damage; 5] = [
        |code| code[0] ^= 1,
        |code| *code.last_mut().unwrap() ^= 0x80,
        |code| {
            let middle = code.len() / 2;
            code[middle] ^= 4;
        },
        |code| code.truncate(code.len() / 2),
        |code| code.push(0),
    ];
    for damage in damages {
        let [file] = compiled(data.path()).try_into().unwrap();
        let mut damaged = fs::read(&file).unwrap();
        damage(&mut damaged);
        fs::write(&file, &damaged).unwrap();
        admit();
        let [again] = compiled(data.path()).try_into().unwrap();
        let whole = fs::read(&again).unwrap();
        assert_ne!(whole, damaged);
        // What is whole is loaded and stays.
        let written = fs::metadata(&again).unwrap().modified().unwrap();
        admit();
        assert_eq!(fs::metadata(&again).unwrap().modified().unwrap(), written);
    }

    // Code of another component under this one's name, sealed as it is, is not taken for it.
    let other = TempDir::new().unwrap();
    fs::create_dir(other.path().join("compiled")).unwrap();
    fs::copy(folder.join("key"), other.path().join("compiled/key")).unwrap();
    let sandbox = Sandbox::open(&Limits::default()).unwrap().with_cache(other.path()).unwrap();
    assert!(sandbox.admit(&module("age-credit-band")).is_ok());
    let [file] = compiled(data.path()).try_into().unwrap();
    let [foreign] = compiled(other.path()).try_into().unwrap();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let (ours, theirs) = (name(&file), name(&foreign));
    fs::remove_file(&file).unwrap();
    fs::copy(&foreign, file.with_file_name(format!("{}-{}", &ours[..64], &theirs[65..]))).unwrap();
    admit();
    let [file] = compiled(data.path()).try_into().unwrap();
    assert!(name(&file).starts_with(&ours[..64]) && !name(&file).ends_with(&theirs[65..]));

    // What is not a file of the cache, or of another engine, does not stay.
    fs::write(file.with_file_name("left-over"), "x").unwrap();
    fs::create_dir(folder.join("0123456789abcdef")).unwrap();
    admit();
    assert_eq!(compiled(data.path()), std::slice::from_ref(&file));
    assert!(!folder.join("0123456789abcdef").exists());

    // A key that others could read seals nothing any more.
    fs::set_permissions(folder.join("key"), fs::Permissions::from_mode(0o644)).unwrap();
    admit();
    assert_eq!(mode(&folder.join("key")), 0o600);
    assert_ne!(name(&file)[65..], name(&compiled(data.path())[0])[65..]);
}

/// Returns the module with a few bytes more that mean nothing.
fn another(name: &str, number: u8) -> Vec<u8> {
    let mut wasm = module(name);
    wasm.extend([0, 3, 1, b'n', number]);
    wasm
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_compiles_nothing() {
    let data = TempDir::new().unwrap();
    let program = Program::start(data.path()).await;
    let door = program.door();
    door.serve("auto-insurance").await;
    let vertical = json!({"module": "auto-insurance", "reserve": "2.00", "increment": "0.01"});
    door.put("verticals/auto-insurance", vertical).await;
    for number in 0..9 {
        let name = format!("zips-{number}");
        door.post(&format!("modules?name={name}"), another("zip-list", number)).await;
        door.post(&format!("modules/{name}/activate"), Vec::new()).await;
    }
    let filter = json!({"module": "zips-3", "settings": {"zips": ["90210"]}});
    let delivery = json!({"url": "http://127.0.0.1:9009/leads"});
    door.with_buyer("acme", delivery, json!({"price": "5.00", "filter": filter})).await;
    // One normalizer; nine filters, each once more with the settings of its fixtures; and one with a campaign's.
    let counted = |door: program::Door| async move {
        let compiles = door.counter("gavel_module_compiles_total").await;
        (compiles, door.counter("gavel_module_cache_hits_total").await)
    };
    let (compiles, _) = counted(door).await;
    assert_eq!(compiles, 20);
    assert!(program.terminate().await.success());

    // What is configured is loaded for that once more: it is not held.
    let program = Program::start(data.path()).await;
    assert_eq!(counted(program.door()).await, (0, 12));
    assert!(program.terminate().await.success());

    // Without the compiled code everything is compiled again, and works.
    fs::remove_dir_all(data.path().join("compiled")).unwrap();
    let program = Program::start(data.path()).await;
    assert_eq!(counted(program.door()).await, (11, 1));
    assert!(program.terminate().await.success());
}

/// A minisign key, and its signature of the bytes `another`, which are no module.
const KEY: &str = "RWQ+7Kq7HCF0d7ir1Zqlpw2SoMmgEAYuccGSe364cQTB5C5DcpztOPLI";
const SIGNATURE: &str = "untrusted comment: for you
RUQ+7Kq7HCF0d0HuAdncJzdBT4rutxGaUZRTPBM9Ol3Y831B+nUc3FoBgPJHtb+2XH6cRq8POVp3olKj0FgLrrG8/OnVwvHinAw=
trusted comment: zip-list 7
duCRrEujoN8Wp0UZtvr3VcdjnrBLroxc/kl+Fp/ABARjQXNXJDWNMuNDSkjY4ikY4Rjv1FwUpfF8UmAwoCsyBQ==
";

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_with_a_trusted_key_takes_only_what_it_has_signed() {
    let data = TempDir::new().unwrap();
    let program = Program::start_with(data.path(), &["--module-key", KEY]).await;
    let (door, path) = (program.door(), "modules?name=zip-list");
    let signature = Some(base64::engine::general_purpose::STANDARD.encode(SIGNATURE));
    let code = async |wasm: Vec<u8>, signature: Option<String>| {
        let answer = door.upload(path, wasm, signature).await;
        assert_eq!(answer.status, 422, "{answer:?}");
        answer.text("/code").to_owned()
    };
    assert_eq!(code(module("zip-list"), None).await, "unsigned");
    assert_eq!(code(module("zip-list"), signature.clone()).await, "wrongly-signed");
    // Signed as it should be, it is looked at.
    assert_eq!(code(b"another".to_vec(), signature).await, "not-wasm");
    assert!(program.terminate().await.success());

    let mistaken = Program::try_start_with(data.path(), &["--module-key", "RWnonsense"]).await;
    let refused = mistaken.err().unwrap();
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.printed.contains("--module-key RWnonsense: expected a minisign public key"));
}
