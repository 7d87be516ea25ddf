//! What facts change about persons: reading what is kept, and what the changes of one batch come to together.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use super::writer::Work;
use super::{Closed, ContactChange, ContactRow, Journal, JournalError, Opened, PersonRow};
use crate::clock::Moment;
use crate::storage::Batch;

impl Opened {
    /// Returns the wrapped key of the exchange itself with this name.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        Ok(self.readers.secret(name).await?)
    }

    /// Keeps a wrapped key of the exchange itself. Durable when it returns.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn put_secret(&mut self, name: &str, wrapped: Vec<u8>) -> Result<(), JournalError> {
        Ok(self.storage.put_secret(name, wrapped).await?)
    }

    /// Returns up to `limit` wrapped keys of subjects after this one, in order.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn contact_keys(
        &self,
        after: Option<u128>,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, JournalError> {
        Ok(self.readers.contact_keys(after, limit).await?)
    }
}

impl Journal {
    /// Returns the sealed contact data of a subject with its wrapped key, unless it was forgotten.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn contact(&self, subject: u128) -> Result<Option<ContactRow>, JournalError> {
        Ok(self.0.readers.contact(subject).await?)
    }

    /// Returns up to `limit` subjects whose contact data was to be kept until before this moment.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn contacts_overdue(
        &self,
        at: Moment,
        limit: usize,
    ) -> Result<Vec<u128>, JournalError> {
        Ok(self.0.readers.contacts_overdue(at, limit).await?)
    }

    /// Returns whether there are prints that were to be kept until before this moment.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn persons_overdue(&self, at: Moment) -> Result<bool, JournalError> {
        Ok(self.0.readers.persons_overdue(at).await?)
    }

    /// Returns up to `limit` subjects in which a person with this print is named, newest first.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn subjects_of(
        &self,
        print: [u8; 32],
        limit: usize,
    ) -> Result<Vec<u128>, JournalError> {
        Ok(self.0.readers.subjects_of(print, limit).await?)
    }

    /// Returns whether a person can be found by this subject.
    ///
    /// # Errors
    /// If the database failed.
    pub async fn has_persons(&self, subject: u128) -> Result<bool, JournalError> {
        Ok(self.0.readers.has_persons(subject).await?)
    }

    /// Overwrites in every file what was forgotten before. Returns whether it could: not while somebody reads the log.
    ///
    /// # Errors
    /// If the journal was closed.
    pub async fn overwrite(&self) -> Result<bool, Closed> {
        let (sender, receiver) = oneshot::channel();
        self.seat().await?.0.send(Work::Overwrite(sender));
        receiver.await.map_err(|_| Closed)
    }
}

/// The changes of one batch, taken together.
#[derive(Debug, Default)]
pub(super) struct ContactChanges {
    contacts: BTreeMap<u128, ContactEnd>,
    persons: BTreeMap<u128, Vec<PersonRow>>,
    persons_before: Option<Moment>,
    keys: Vec<(u128, Vec<u8>)>,
    secrets: Vec<(String, Vec<u8>)>,
}

#[derive(Debug)]
enum ContactEnd {
    Put(ContactRow, Option<Moment>),
    Kept(Moment),
    Gone,
}

impl ContactChanges {
    /// Takes one more change; returns its size in bytes.
    pub(super) fn take(&mut self, change: ContactChange) -> usize {
        match change {
            ContactChange::Put { contact, persons } => {
                let bytes = contact.sealed.len() + contact.key.len();
                self.persons.insert(contact.subject, persons);
                self.contacts.insert(contact.subject, ContactEnd::Put(contact, None));
                return bytes;
            }
            ContactChange::Keep { subject, until } => match self.contacts.get_mut(&subject) {
                Some(ContactEnd::Put(_, kept)) => *kept = Some(until),
                Some(ContactEnd::Gone) => (),
                Some(ContactEnd::Kept(_)) | None => {
                    self.contacts.insert(subject, ContactEnd::Kept(until));
                }
            },
            ContactChange::Drop { subject } => {
                self.contacts.insert(subject, ContactEnd::Gone);
            }
            ContactChange::Erase { subject } => {
                self.contacts.insert(subject, ContactEnd::Gone);
                // An empty list overwrites what is there.
                self.persons.insert(subject, Vec::new());
            }
            ContactChange::Sweep { subjects, persons_before } => {
                let gone = subjects.into_iter().map(|subject| (subject, ContactEnd::Gone));
                self.contacts.extend(gone);
                self.persons_before = self.persons_before.max(Some(persons_before));
            }
            ContactChange::Rewrap { keys, secrets } => {
                self.keys.extend(keys);
                self.secrets.extend(secrets);
            }
        }
        0
    }

    pub(super) fn close(self, batch: &mut Batch) {
        for (subject, end) in self.contacts {
            match end {
                ContactEnd::Put(contact, until) => {
                    batch.kept.extend(until.map(|until| (subject, until)));
                    batch.contacts.push(contact);
                }
                ContactEnd::Kept(until) => batch.kept.push((subject, until)),
                ContactEnd::Gone => batch.forgotten.push(subject),
            }
        }
        for (subject, persons) in self.persons {
            batch.persons_forgotten.push(subject);
            batch.persons.extend(persons);
        }
        batch.persons_before = self.persons_before;
        (batch.contact_keys, batch.secrets) = (self.keys, self.secrets);
    }
}
