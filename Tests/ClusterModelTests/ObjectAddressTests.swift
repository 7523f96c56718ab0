import ClusterModel
import Testing

@Suite struct ObjectAddressTests {
    @Test(arguments: [
        ("s3://bucket", "s3://bucket"), ("s3://my.bucket-1/a/b.csv", "s3://my.bucket-1/a/b.csv"),
        ("s3://bucket//a///b/", "s3://bucket/a/b"),
        ("s3://bucket/with space/ü", "s3://bucket/with space/ü"),
    ])
    func addressesAreReadAndWritten(_ text: String, _ written: String) { #expect(ObjectAddress(text)?.description == written) }

    @Test(arguments: [
        "", "s3://", "s3:/bucket/x", "S3://bucket/x", "s3://ab/x", "s3://Bucket/x", "s3://a_b_c/x", "s3://-abc/x", "s3://bucket/../x",
        "s3://bucket/a/./x", "s3://bucket/\n", "s3://" + String(repeating: "a", count: 64),
        "s3://bucket/" + String(repeating: "a", count: 1024),
        "http://bucket/x", "s3://buc,ket/x", "s3://buc:ket/x",
    ])
    func othersAreRefused(_ text: String) { #expect(ObjectAddress(text) == nil) }
}
