//! Whose modules are taken: with trusted keys, only what one of them has signed with minisign.
//!
//! A signature covers every byte of the component and the signer's own comment, so nothing between the signer and the
//! exchange can change either. Without a key, whoever has the operator's key may upload.

use std::fmt;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minisign_verify::{Error, PublicKey, Signature};

use super::inadmissible::Inadmissible;

/// The longest signature, in bytes of base64. Its comments may have some hundreds.
const SIGNATURE_BYTES_MAX: usize = 8 * 1024;

/// The public keys whose signatures are trusted. With none, none is asked for.
#[derive(Clone, Default)]
pub struct ModuleKeys(Vec<PublicKey>);

impl fmt::Debug for ModuleKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModuleKeys({})", self.0.len())
    }
}

impl ModuleKeys {
    /// Reads keys, each a minisign public key as text or the name of a file with one.
    ///
    /// # Errors
    ///
    /// Every one that is neither, a line each.
    pub fn read(keys: &[String]) -> Result<Self, Vec<String>> {
        let (mut trusted, mut mistakes) = (Vec::new(), Vec::new());
        for key in keys.iter().map(|key| key.trim()).filter(|key| !key.is_empty()) {
            match read_key(key) {
                Ok(key) => trusted.push(key),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if mistakes.is_empty() { Ok(Self(trusted)) } else { Err(mistakes) }
    }

    /// Checks that a component is signed by one of the keys, if there are any. `signature` is the base64 of the
    /// `.minisig` file.
    ///
    /// # Errors
    ///
    /// [`Inadmissible::Unsigned`] or [`Inadmissible::WronglySigned`].
    pub fn check(&self, wasm: &[u8], signature: Option<&str>) -> Result<(), Inadmissible> {
        if self.0.is_empty() {
            return Ok(());
        }
        let wrongly = |fault: &str| Inadmissible::WronglySigned(fault.to_owned());
        let signature = signature.ok_or(Inadmissible::Unsigned)?;
        if signature.len() > SIGNATURE_BYTES_MAX {
            return Err(wrongly("it is longer than a signature is"));
        }
        let text =
            BASE64.decode(signature.trim()).ok().and_then(|text| String::from_utf8(text).ok());
        let text = text.ok_or_else(|| wrongly("it is not base64 of a .minisig file"))?;
        let signature = Signature::decode(&text)
            .map_err(|_| wrongly("its base64 is not that of a .minisig file"))?;
        let verdicts = self.0.iter().map(|key| key.verify(wasm, &signature, false));
        let mut known = false;
        for verdict in verdicts {
            match verdict {
                Ok(()) => return Ok(()),
                Err(Error::UnexpectedKeyId) => (),
                Err(Error::UnsupportedLegacyMode | Error::UnsupportedAlgorithm) => {
                    return Err(wrongly("it is of the old kind: sign with `minisign -S -H`"));
                }
                Err(_) => known = true,
            }
        }
        Err(wrongly(if known {
            "it is by a trusted key, but of other bytes or with another comment: sign the file that is uploaded, after \
             its last build"
        } else {
            "its key is none that this exchange trusts"
        }))
    }
}

fn read_key(key: &str) -> Result<PublicKey, String> {
    if let Ok(key) = PublicKey::from_base64(key) {
        return Ok(key);
    }
    let expected =
        "expected a minisign public key, 56 characters that begin with RW, or a file with one";
    let text = fs::read_to_string(Path::new(key))
        .map_err(|error| format!("--module-key {key}: {expected}; as a file: {error}"))?;
    let decoded = PublicKey::decode(&text).or_else(|_| PublicKey::from_base64(text.trim()));
    decoded.map_err(|_| format!("--module-key {key}: {expected}; that file has none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was signed. The keys and signatures were made with the `minisign` crate; their secret halves are gone.
    const WASM: &[u8] = b"\0asm, or what goes for it here";
    const OURS: &str = "RWQ+7Kq7HCF0d7ir1Zqlpw2SoMmgEAYuccGSe364cQTB5C5DcpztOPLI";
    const PARTNERS: &str = "RWSvVJ/CCfWZJcQqKNR6hlaruqKpZ8d5JwBJQvD6kxFRfk0j+feAj8qZ";
    const BY_US: &str = "untrusted comment: for you
RUQ+7Kq7HCF0dzl1JmP5S+7x3RiZU/yCuG9p7BnMEBE1yge3vXMqajtCpQWpZFj4NC3LcVo7kwwpW9QTfgAZYF1IeAKA9QS15gA=
trusted comment: zip-list 7
657w+6UHqRpibeB9HRkvBwriLlGBki2k5q9fy2EY0Bodze6KevZRuMB+zQhrMQrXF3yMNI1pBXtxM+zr6AWPAA==
";
    const BY_PARTNER: &str = "untrusted comment: for you
RUSvVJ/CCfWZJXWG4TPNE9fmQPcmGri8q9SQBE5fkyfBPYz651cOL1iTsp/Tks/oMAwNz6YuDnpnA0MYOndWLgdjFclBL7TLGAU=
trusted comment: zip-list 7
/OjhO/8BuC5yvJBhA+KuIVhwukevEN4gbmzXYjwFjsk+N3svGI1B/c+telaJ5/APG82otRS/3YiqnnXyWA0tDg==
";
    const BY_STRANGER: &str = "untrusted comment: for you
RUT3DJv6V/X9s/LEpDwEZQot+YikEMf/NkoG1CPabXItD3iqu6PwR/ZEKGgUh0J32gvitrReOot8nuhYl8nnhBjS1uKqNBLpAg8=
trusted comment: zip-list 7
lh67BSGctppri5228Sluhsrdn73+oOVwkd3Qev88bGMfPzd+1TPPH5rOcmV+OXYLKFB//gCLWPYK6fN4qJGMCg==
";
    /// Ours, of the bytes `another`.
    const OF_ANOTHER: &str = "untrusted comment: for you
RUQ+7Kq7HCF0d0HuAdncJzdBT4rutxGaUZRTPBM9Ol3Y831B+nUc3FoBgPJHtb+2XH6cRq8POVp3olKj0FgLrrG8/OnVwvHinAw=
trusted comment: zip-list 7
duCRrEujoN8Wp0UZtvr3VcdjnrBLroxc/kl+Fp/ABARjQXNXJDWNMuNDSkjY4ikY4Rjv1FwUpfF8UmAwoCsyBQ==
";

    fn keys() -> ModuleKeys {
        ModuleKeys::read(&[OURS.to_owned(), PARTNERS.to_owned()]).unwrap()
    }

    #[track_caller]
    fn check(signature: &str, expected: &str) {
        let refused = keys().check(WASM, Some(signature)).unwrap_err();
        let expected = format!(
            "wrongly-signed: the module's signature is refused: {expected}; the header is `X-Gavel-Signature: $(base64 \
             -w0 FILE.minisig)`"
        );
        assert_eq!(format!("{}: {refused}", refused.code()), expected);
    }

    #[test]
    fn with_trusted_keys_only_their_signatures_count() {
        for signature in [BY_US, BY_PARTNER] {
            assert_eq!(keys().check(WASM, Some(&BASE64.encode(signature))), Ok(()));
        }
        let unsigned = keys().check(WASM, None).unwrap_err();
        assert_eq!(
            format!("{}: {unsigned}", unsigned.code()),
            "unsigned: the module is not signed, and this exchange takes only signed ones: sign it with `minisign -Sm \
             FILE`, and send the signature along with the header `X-Gavel-Signature: $(base64 -w0 FILE.minisig)`"
        );
        check(&BASE64.encode(BY_STRANGER), "its key is none that this exchange trusts");
        let bytes = "it is by a trusted key, but of other bytes or with another comment: sign the file that is \
                     uploaded, after its last build";
        check(&BASE64.encode(OF_ANOTHER), bytes);
        check(&BASE64.encode(BY_US.replace("zip-list 7", "zip-list 8")), bytes);
        check("?", "it is not base64 of a .minisig file");
        check(BY_US, "it is not base64 of a .minisig file");
        check(&BASE64.encode("a signature"), "its base64 is not that of a .minisig file");
        check(&"A".repeat(SIGNATURE_BYTES_MAX + 1), "it is longer than a signature is");
        // Where no key is trusted, none is asked for.
        assert_eq!(ModuleKeys::default().check(WASM, None), Ok(()));
    }

    #[test]
    fn a_key_is_a_text_or_a_file_and_every_mistake_is_told() {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let file = place.path().join(name);
            fs::write(&file, text).unwrap();
            file.to_str().unwrap().to_owned()
        };
        let ours =
            file("ours.pub", &format!("untrusted comment: minisign public key: 7774\n{OURS}\n"));
        let keys = ModuleKeys::read(&[ours, PARTNERS.to_owned(), String::new()]).unwrap();
        assert_eq!(keys.0.len(), 2);
        assert_eq!(keys.check(WASM, Some(&BASE64.encode(BY_US))), Ok(()));
        let empty = file("empty.pub", "");
        let expected =
            "expected a minisign public key, 56 characters that begin with RW, or a file with one";
        assert_eq!(
            ModuleKeys::read(&["RWnonsense".to_owned(), empty.clone()]).unwrap_err(),
            [
                format!(
                    "--module-key RWnonsense: {expected}; as a file: No such file or directory (os error 2)"
                ),
                format!("--module-key {empty}: {expected}; that file has none"),
            ]
        );
    }
}
