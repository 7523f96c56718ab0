import Dispatch
import GRDB

extension Configuration {
    /// What every connection here begins with. GRDB asks for more urgency than others by default, as an app's user might;
    /// a service has no right to raise its priority, and libdispatch complains of that in the log.
    static var steady: Configuration {
        var configuration = Configuration()
        configuration.qos = .default
        return configuration
    }
}
