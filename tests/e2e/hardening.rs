//! What the agent does to itself before it holds a secret, seen from outside.
