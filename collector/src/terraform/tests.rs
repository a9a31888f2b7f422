mod applying;
mod facts;
mod fake;
mod files;
mod rehearsing;
mod running;
