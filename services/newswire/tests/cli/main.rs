//! The built command line against a real server and a real publisher: what is printed, and the exit code.

mod articles;
mod desk;
mod pages;
mod servers;
