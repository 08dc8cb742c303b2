//! Whether an endpoint can be reached, and what time it is there. Nothing is signed and nothing is asked of it.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::Format;
use jumpgate_api::Timestamp;

use super::{SdkTokenService, errors, url_of};
use crate::domain::identity::Endpoint;
use crate::ports::TokenError;

impl SdkTokenService {
    /// The time of the `Date` header of whatever the endpoint answers to a plain request; absent if it gives none.
    ///
    /// # Errors
    /// No answer: neither DNS, proxy, TLS nor patience may be in its way.
    pub async fn probe(&self, endpoint: &Endpoint) -> Result<Option<Timestamp>, TokenError> {
        let connector = self.connector(endpoint).await?;
        let mut request = HttpRequest::new(SdkBody::empty());
        let address = request.set_uri(url_of(endpoint) + "/");
        address.map_err(|error| errors::unavailable(&error))?;
        let answer = tokio::time::timeout(self.options.patience.attempt, connector.fetch(request));
        let answer = answer.await.map_err(|_| errors::timed_out())?;
        let answer = answer.map_err(|error| errors::unavailable(&error))?;
        let date = answer
            .headers()
            .get("date")
            .and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        Ok(date.map(|date| Timestamp::from_unix_seconds(date.secs())))
    }
}
