mod applying;
mod facts;
mod fake;
mod files;
mod running;
