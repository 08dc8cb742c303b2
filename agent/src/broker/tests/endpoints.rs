//! What an endpoint serves again and again.

use jumpgate_api::{Code, Interface};

use super::*;
use crate::broker::endpoints::{Handed, OpenEndpoint};
use crate::domain::peer::Peer;

async fn opened(house: &House) -> Arc<OpenEndpoint> {
    let mut ask = ask("dev");
    ask.interface = Interface::Container;
    house.broker.open_endpoint(&peer(), &ask).await.unwrap()
}

async fn serve(
    house: &House,
    endpoint: &Arc<OpenEndpoint>,
    program: &str,
) -> Result<Handed, Failure> {
    let executable = Some(program.to_owned());
    let peer = Peer {
        executable,
        ..peer()
    };
    house.broker.serve_endpoint(endpoint, &peer, None).await
}

#[tokio::test(start_paused = true)]
async fn another_program_under_the_same_pid_is_put_on_record() {
    let house = House::plain(vec![profile("dev")]);
    let endpoint = opened(&house).await;
    for program in ["/bin/sh", "/bin/sh", "/bin/aws", "/bin/aws", "/bin/aws"] {
        serve(&house, &endpoint, program).await.unwrap();
    }
    house.broker.flush_denials().await;
    let records = house.journal.records().into_iter();
    let of_programs =
        records.filter_map(|event| Some((event.peer?.executable?, event.facts.count)));
    let of_programs: Vec<_> = of_programs.collect();
    let expected = [
        ("/bin/sh".to_owned(), None),
        ("/bin/aws".to_owned(), None),
        ("/bin/sh".to_owned(), Some(1)),
        ("/bin/aws".to_owned(), Some(2)),
    ];
    assert_eq!(of_programs, expected);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_during_the_record_does_not_lengthen_a_session() {
    let house = House::plain(vec![profile("dev")]);
    let endpoint = opened(&house).await;
    serve(&house, &endpoint, "/bin/sh").await.unwrap();
    let writes = &house.journal.writes;
    let written = writes.count();
    writes.close();
    let serving = serve(&house, &endpoint, "/bin/aws");
    let later = async {
        writes.arrived(written + 1).await;
        house.clock.suspend(Duration::from_secs(3600));
        house.clock.set_back(Duration::from_secs(3600));
        writes.open();
    };
    let (served, ()) = tokio::join!(serving, later);
    assert_eq!(served.err().unwrap().code(), Code::Busy);
}
