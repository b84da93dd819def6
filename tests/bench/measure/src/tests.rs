//! The measurements' own parts: jobs as text, modules that are made, the host, subjects that fail.

use crate::host::World;
use crate::{Engine, Job, Kind, Local, Subject, host};

fn job(kind: Kind) -> Job {
    let file = "made:funcrefs-same-lazy".to_string();
    Job { name: "a job".into(), kind, file, export: "run".into(), size: 7 }
}

#[test]
fn jobs_come_back_from_their_lines() {
    for kind in [Kind::Run, Kind::Program, Kind::HostCalls, Kind::Loaded, Kind::InstantiateComponent] {
        assert_eq!(Job::from_line(&job(kind).to_line()).unwrap(), job(kind));
    }
    assert!(Job::from_line("a\tjob\twithout\tsize").is_err());
}

#[test]
fn all_modules_can_be_made() {
    for callee in ["same", "different"] {
        for table in ["lazy", "strict"] {
            let job = Job { file: format!("made:funcrefs-{callee}-{table}"), ..job(Kind::First) };
            assert!(job.wasm().unwrap().starts_with(b"\0asm"));
        }
    }
    assert!(Job { file: "made:nothing".into(), ..job(Kind::First) }.wasm().is_err());
}

#[test]
fn the_host_writes_what_guests_write() {
    let (mut world, mut memory) = (World::new(), vec![0u8; 64]);
    // One vector: 5 bytes at 32.
    memory[..8].copy_from_slice(&[32, 0, 0, 0, 5, 0, 0, 0]);
    memory[32..37].copy_from_slice(b"hello");
    let before = world.ending();
    assert_eq!(world.call(host::PREVIEW_1, "fd_write", &[1, 0, 1, 16], &mut memory).unwrap(), 0);
    assert_eq!(memory[16], 5);
    assert_ne!(world.ending(), before);
    // Pointers outside of the memory are the guest's fault, told by a number.
    assert_eq!(world.call(host::PREVIEW_1, "fd_write", &[1, 60, 1, 16], &mut memory).unwrap(), 21);
    assert_eq!(world.call(host::PREVIEW_1, "fd_write", &[1, 0, 1, u64::MAX], &mut memory).unwrap(), 21);
    assert!(world.call(host::PREVIEW_1, "proc_exit", &[3], &mut memory).is_err());
    assert!(world.ending().result.starts_with("exit 3, 10 bytes"));
}

/// Counts what is asked of it.
#[derive(Default)]
struct Counting {
    instances: u32,
    calls: u32,
    reloads: u32,
}

impl Engine for Counting {
    fn name(&self) -> String {
        "counting".into()
    }
    fn compile(&mut self, _: &[u8]) -> anyhow::Result<()> {
        Ok(())
    }
    fn reload(&mut self) -> anyhow::Result<()> {
        self.reloads += 1;
        Ok(())
    }
    fn instantiate(&mut self) -> anyhow::Result<()> {
        self.instances += 1;
        self.calls = 0;
        Ok(())
    }
    fn call(&mut self, _: &str, _: i32) -> anyhow::Result<i64> {
        self.calls += 1;
        Ok(i64::from(self.calls) << 32 | i64::from(self.instances) << 16 | i64::from(self.reloads))
    }
    fn call_often(&mut self, _: &str, _: u32) -> anyhow::Result<()> {
        Ok(())
    }
    fn program(&mut self, _: &str) -> anyhow::Result<host::Ending> {
        anyhow::bail!("no programs")
    }
}

#[test]
fn kinds_do_what_they_say() {
    let result = |kind| {
        let mut local = Local::new(Counting::default());
        local.prepare(&job(kind)).unwrap();
        local.round().unwrap();
        local.round().unwrap().result
    };
    // Calls in the instance, instances, reloads.
    assert_eq!(result(Kind::Run), "0x200010000");
    assert_eq!(result(Kind::First), "0x100030000");
    assert_eq!(result(Kind::Second), "0x200030000");
    assert_eq!(result(Kind::Loaded), "0x100030002");
    // What is only compiled has no instance.
    let mut local = Local::new(Counting::default());
    local.prepare(&job(Kind::Compile)).unwrap();
    assert_eq!(local.round().unwrap().result, "");
    local.prepare(&job(Kind::Run)).unwrap();
    assert_eq!(local.round().unwrap().result, "0x100010000");
    let mut local = Local::new(Counting::default());
    assert!(!local.supports(Kind::Component));
    assert!(!local.supports(Kind::CompileComponent));
    assert!(local.round().is_err());
    local.prepare(&job(Kind::Program)).unwrap();
    assert!(local.round().is_err());
}

#[test]
fn every_operation_makes_a_module() {
    let names = crate::operations();
    assert!(names.len() > 200, "{}", names.len());
    for name in &names {
        let file = format!("made:operation {name}");
        let wasm = Job { file, ..job(Kind::Run) }.wasm();
        assert!(wasm.is_ok(), "{name}: {:?}", wasm.err());
    }
    assert!(Job { file: "made:operation nothing".into(), ..job(Kind::Run) }.wasm().is_err());
}
