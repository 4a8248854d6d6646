//! Any bytes on the line: the driver does not panic, its memory stays bounded, and it recovers.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Block, Readable, Reads, ScriptedModule, then};

fn garbage() -> impl Strategy<Value = Readable> {
    let tokens = prop::sample::select(vec![
        &b"\r\n"[..],
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b">",
        b"> ",
        b"\r\nOK\r\n",
        b"\r\nERROR\r\n",
        b"\r\n+CMQTTRXSTART: 0,3,5\r\n",
        b"\r\n+CMQTTRXSTART: 1,1024,10240\r\n",
        b"+CMQTTRXTOPIC: 0,3\r\n",
        b"+CMQTTRXTOPIC: 1,1024\r\n",
        b"+CMQTTRXPAYLOAD: 0,5\r\n",
        b"+CMQTTRXPAYLOAD: 1,10240\r\n",
        b"+CMQTTRXPAYLOAD: 0,99999\r\n",
        b"+CMQTTRXEND: 0\r\n",
        b"+CMQTTRXEND: 1\r\n",
        b"+CMQTTRX",
        b"+CMQTTPUB: 0,0\r\n",
        b"+CMQTTPUB: 0,14\r\n",
        b"+CMQTTCONNLOST: 0,1\r\n",
        b"+CMQTTNONET\r\n",
        b"\r\nRDY\r\n",
        b"+CMQTTDISC: (0-1),(0, 60-180)\r\n",
        b"t/1",
        b"hello",
        b"\r\nOK\r\nhello",
    ]);
    let anything = vec(any::<u8>(), 1..30);
    vec(prop_oneof![6 => tokens.prop_map(<[u8]>::to_vec), 1 => anything], 0..80)
        .prop_map(|pieces| Readable(pieces.concat()))
}

/// Plays a module that works again: it answers every command in order.
fn expect_recovery(driver: &mut ScriptedModule) {
    driver.take_events();
    driver.take_written();
    driver.run(99, "AT+CSQ");
    for _ in 0..60 {
        let written = driver.take_written();
        for line in written.split(|byte| *byte == b'\r').filter(|line| !line.is_empty()) {
            let line = String::from_utf8_lossy(line).into_owned();
            match line.strip_prefix("AT").and_then(|rest| rest.strip_suffix("=?")) {
                Some(name) => driver.send(then(&[&format!("{name}: (0-1)"), "OK"])),
                None if line == "AT+CSQ" => driver.send(then(&["+CSQ: 20,0", "OK"])),
                None => driver.send(then(&["OK"])),
            }
        }
        if driver.outcome_is_known(99) {
            break;
        }
        driver.wait_ms(500);
    }
    assert_eq!(driver.expect_success(99), [[b"+CSQ: 20,0"]]);
    driver.take_events();
    driver.send(Block::new(0, "sound", "afterwards").bytes());
    driver.expect_message(0, "sound", "afterwards");
}

/// Estimates the memory of the driver by the length of its debug output.
fn memory_of(driver: &ScriptedModule) -> usize {
    format!("{:?}", driver.engine).len()
}

fn busy_driver(reads: Reads) -> ScriptedModule {
    let mut driver = ScriptedModule::reading(reads);
    driver.publish(1, 0, b"t/1", b"hello");
    driver.publish(2, 1, b"t/1", b"\r\nOK\r\nhello");
    driver.run(3, "AT+CMQTTSUB?");
    driver.run(4, "AT+CGSN");
    driver.run(5, "AT+CMQTTDISC=0,60");
    driver
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn driver_recovers_after_any_bytes(
        first in garbage(),
        second in garbage(),
        pause in 0..12_000_u64,
        reads in vec(1..100_usize, 1..5),
        opening: bool,
    ) {
        let mut driver = busy_driver(Reads::Pieces(reads));
        if opening {
            driver.open(7);
        }
        driver.send(&first.0);
        driver.wait_ms(pause);
        driver.send(&second.0);
        driver.wait_ms(200_000);
        driver.send("\r\n");
        driver.wait_ms(10_000);
        expect_recovery(&mut driver);
    }

    /// Without commands: an answer before its command could differ between reads.
    #[test]
    fn events_do_not_depend_on_the_reads(bytes in garbage(), reads in vec(1..20_usize, 1..5)) {
        // After a possible boot banner, the driver sends a query.
        let bytes = String::from_utf8_lossy(&bytes.0).replace("RDY", "DONE");
        prop_assume!(!bytes.split('\n').any(|line| line.trim().starts_with(['R', 'Q', '*'])));
        let mut whole = ScriptedModule::new();
        let mut cut = ScriptedModule::reading(Reads::Pieces(reads));
        for driver in [&mut whole, &mut cut] {
            driver.send(&bytes);
            driver.wait_ms(100_000);
        }
        prop_assert_eq!(whole.history(), cut.history());
    }
}

#[test]
fn endless_streams_cost_bounded_memory() {
    for endless in [
        &b"x"[..],
        b"\r\n",
        b"\r",
        b"\n",
        b">",
        b"\0",
        b"x\r\n",
        b"\r\nOK\r\n",
        b"\r\n+CGEV: 1\r\n",
        b"+CMQTTRXEND: 0\r\n",
        b"\r\n+CMQTTRXSTART: 0,1024,10240\r\n",
        b"+CMQTTRXPAYLOAD: 0,10240\r\n",
        b"+CMQTTRXPAYLOAD: 0,0\r\n",
        b"\r\n+CMQTTRXSTART: 0,1,1\r\nx\r\n",
        b"+CMQTTRX\r\n",
        b"+CMQTTPUB: 0,0\r\n",
        b"\r\nRDY\r\n",
    ] {
        let mut driver = busy_driver(Reads::Whole);
        let flood = endless.repeat(20_000 / endless.len());
        let mut heaviest = 0;
        for _ in 0..30 {
            driver.send(&flood);
            heaviest = heaviest.max(memory_of(&driver));
            driver.take_events();
        }
        // Each byte of a stored line takes about 40 bytes of debug output.
        assert!(heaviest < 2_000_000, "{}: {heaviest}", endless.escape_ascii());
        driver.wait_ms(200_000);
        driver.send("\r\n");
        driver.wait_ms(10_000);
        expect_recovery(&mut driver);
    }
}

/// Every command ends, although only noise arrives.
#[test]
fn every_command_ends_in_endless_noise() {
    for noise in
        [&b"+CMQTTRX: 0\r\n"[..], b"\r\n+CMQTTRXSTART: 0,9,9\r\n", b"+CMQTTRXPAYLOAD: 1,10240\r\n", b"y\r\n"]
    {
        let mut driver = busy_driver(Reads::Whole);
        for _ in 0..900 {
            driver.send(noise);
            driver.wait_ms(100);
        }
        for id in 1..=5 {
            assert!(driver.outcome(id).is_some(), "{id} is stuck in {}", noise.escape_ascii());
        }
    }
}
