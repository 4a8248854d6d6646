//! The same publishes with `atat`, its blocking client: `atat-host PORT COUNT PAYLOAD_SIZE COOL_DOWN_MS`.
//!
//! The client spins until its answer is there. atat cuts received bytes by what they look like, so that a payload with
//! a line end or `OK` in it cannot be received: publishes only.

use std::fs::File;
use std::io::{BufRead, Read, stdin};
use std::path::Path;
use std::time::Instant;

use atat::blocking::{AtatClient, Client};
use atat::digest::ParseError;
use atat::{
    AtDigester, AtatCmd, AtatIngress, AtatResp, AtatUrc, Config, Error, Ingress, InternalError, Parser,
    ResponseSlot, UrcChannel,
};
use embassy_time::Duration;
use embedded_io_adapters::std::FromStd;
use simcom_mqtt_bench::module::publish_pieces;
use simcom_mqtt_bench::reactions::Reactions;
use simcom_mqtt_bench::terminal::open_raw;

const BUFFER: usize = 4096;

/// Bytes as they are: a command line or the data that a prompt asks for.
struct Raw<'a>(&'a [u8]);
struct Done;

impl AtatResp for Done {}

impl AtatCmd for Raw<'_> {
    type Response = Done;
    const MAX_TIMEOUT_MS: u32 = 10_000;

    fn write(&self, buffer: &mut [u8]) -> usize {
        buffer[..self.0.len()].copy_from_slice(self.0);
        self.0.len()
    }

    fn parse(&self, response: Result<&[u8], InternalError>) -> Result<Done, Error> {
        response.map(|_| Done).map_err(Error::from)
    }
}

#[derive(Clone)]
struct PublishResult;

impl AtatUrc for PublishResult {
    fn parse(line: &[u8]) -> Option<Self> {
        line.starts_with(b"+CMQTTPUB").then_some(Self)
    }
}

struct Urcs;

impl Parser for Urcs {
    fn parse(buffer: &[u8]) -> Result<(&[u8], usize), ParseError> {
        const NAME: &[u8] = b"\r\n+CMQTTPUB: ";
        if !buffer.starts_with(&NAME[..buffer.len().min(NAME.len())]) {
            return Err(ParseError::NoMatch);
        }
        let Some(end) = buffer.iter().skip(2).position(|byte| *byte == b'\n') else {
            return Err(ParseError::Incomplete);
        };
        Ok((buffer[2..end + 2].trim_ascii(), end + 3))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let [port, count, size, cool_down_ms] = &words[..] else {
        return Err("usage: atat-host PORT COUNT PAYLOAD_SIZE COOL_DOWN_MS".into());
    };
    let port = File::from(open_raw(Path::new(port))?);
    let reader = port.try_clone()?;
    let responses: &'static ResponseSlot<BUFFER> = Box::leak(Box::default());
    let urcs: &'static UrcChannel<PublishResult, 8, 1> = Box::leak(Box::default());
    let ingress = Ingress::new(AtDigester::<Urcs>::new(), vec![0; BUFFER].leak(), responses, urcs);
    std::thread::spawn(move || read_into(reader, ingress));
    let mut results = urcs.subscribe().map_err(|error| format!("{error:?}"))?;
    let config = Config::new().cmd_cooldown(Duration::from_millis(cool_down_ms.parse()?));
    let mut client = Client::new(FromStd::new(port), responses, vec![0; BUFFER].leak(), config);

    let pieces = publish_pieces(0, b"bench/topic", &vec![b'x'; size.parse()?]);
    let mut times = Reactions::default();
    println!("ready");
    stdin().lock().read_line(&mut String::new())?;
    for _ in 0..count.parse::<usize>()? {
        let began = Instant::now();
        for piece in &pieces {
            client.send(&Raw(piece)).map_err(|error| format!("{error:?}"))?;
        }
        while results.try_next_message_pure().is_none() {
            std::hint::spin_loop();
        }
        times.push(began.elapsed());
    }
    println!("{{\"latencies_ns\": {:?}}}", times.as_nanoseconds());
    Ok(())
}

fn read_into(mut port: File, mut ingress: impl AtatIngress) {
    while let Ok(count) = port.read(ingress.write_buf()) {
        if count == 0 || ingress.try_advance(count).is_err() {
            return;
        }
    }
}
