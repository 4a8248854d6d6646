use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use super::event_router::EventRouter;
use super::port_opener::PortOpener;
use super::requests::{Request, Requests};
use crate::channel::Counters;
use crate::link::{Driver, LineErrors};
use crate::mqtt::{MqttService, Output};

/// Drives the MQTT service on the I/O thread: takes the requests of other threads, and passes the outputs on.
pub(super) struct ModemDriver {
    service: MqttService,
    requests: Requests,
    router: Arc<EventRouter>,
    port_opener: Arc<OnceLock<Arc<PortOpener>>>,
    received_at: SystemTime,
    line_errors: LineErrors,
    is_finished: bool,
}

impl ModemDriver {
    pub(super) fn new(
        service: MqttService,
        requests: Requests,
        router: Arc<EventRouter>,
        port_opener: Arc<OnceLock<Arc<PortOpener>>>,
    ) -> Self {
        Self {
            service,
            requests,
            router,
            port_opener,
            received_at: SystemTime::now(),
            line_errors: LineErrors::default(),
            is_finished: false,
        }
    }

    fn handle_request(&mut self, request: Request, now: Instant) {
        match request {
            Request::Start(id, procedure) => self.service.start(id, procedure, now),
            Request::Cancel(id) => self.service.cancel(id, now),
            Request::CancelUnwritten(id, answer) => {
                let is_cancelled = self.service.cancel_unwritten(id, now);
                answer(is_cancelled);
            }
            Request::PortNotOpened(reason) => self.service.port_not_opened(reason, now),
            Request::Trace(on) => self.service.set_tracing(on),
            Request::Close => {
                self.service.close(now);
                self.is_finished = true;
            }
        }
    }

    fn counters(&self) -> Counters {
        let LineErrors { framing, parity, overruns, breaks } = self.line_errors;
        Counters {
            framing_errors: framing,
            parity_errors: parity,
            overruns,
            breaks,
            ..self.service.counters()
        }
    }

    fn pass_outputs_on(&mut self) {
        // An event can wake a caller that looks at the counters.
        self.router.set_counters(self.counters());
        while let Some(output) = self.service.poll_output() {
            match output {
                Output::Result(tell) => tell(),
                Output::OpenPort => {
                    if let Some(opener) = self.port_opener.get() {
                        opener.clone().open();
                    }
                }
                output => self.router.handle(output, self.received_at),
            }
        }
    }
}

impl Driver for ModemDriver {
    fn handle_wake(&mut self, now: Instant) {
        for request in self.requests.take() {
            self.handle_request(request, now);
            self.pass_outputs_on();
        }
    }

    fn handle_input(&mut self, bytes: &[u8], now: Instant) {
        self.received_at = SystemTime::now();
        self.service.handle_input(bytes, now);
        self.pass_outputs_on();
    }

    fn handle_damaged_input(&mut self, bytes: &[u8], errors: LineErrors, now: Instant) {
        self.received_at = SystemTime::now();
        self.line_errors += errors;
        self.service.handle_damaged_input(bytes, now);
        self.pass_outputs_on();
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.service.handle_timeout(now);
        self.pass_outputs_on();
    }

    fn handle_port_lost(&mut self, reason: String, now: Instant) {
        if let Some(opener) = self.port_opener.get() {
            opener.note_loss();
        }
        self.service.handle_port_lost(reason, now);
        self.pass_outputs_on();
    }

    fn handle_port_attached(&mut self, now: Instant) {
        self.service.handle_port_attached(now);
        self.pass_outputs_on();
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.service.poll_timeout()
    }

    fn poll_transmit(&mut self) -> &[u8] {
        self.service.unwritten()
    }

    fn handle_transmitted(&mut self, count: usize, now: Instant) {
        self.service.handle_written(count, now);
        self.pass_outputs_on();
    }

    fn must_drain(&self) -> bool {
        self.service.must_drain()
    }

    fn flush(&mut self) {
        self.router.set_counters(self.counters());
    }

    fn is_finished(&self) -> bool {
        self.is_finished
    }
}

impl Drop for ModemDriver {
    /// Every waiting caller gets an answer, whatever ended the thread.
    fn drop(&mut self) {
        if !self.is_finished {
            self.service.close(Instant::now());
        }
        self.pass_outputs_on();
        // Their senders tell that the driver is closed.
        drop(self.requests.shut());
        self.router.close();
    }
}
