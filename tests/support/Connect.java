import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/** Connects once and says how that ended: `java -cp postgresql.jar Connect.java URL`. */
public class Connect {
    public static void main(String[] arguments) {
        try (Connection made = DriverManager.getConnection(arguments[0])) {
            System.out.println("connected");
        } catch (SQLException error) {
            System.out.println("refused: " + error.getMessage());
        }
    }
}
