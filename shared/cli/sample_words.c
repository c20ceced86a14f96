/*
 * sample_words.c — names, places and things of the sample world. Telephone numbers: ranges kept free for fiction by the
 * Bundesnetzagentur, Ofcom, ARCEP and the North American Numbering Plan.
 */
#include "cli/sample_words.h"

#include "base/compiler.h"

const struct words_country words_countries[] = {
	{
		.country = "DE",
		.language = "de",
		.given = { "Anna",  "Lukas",  "Marie",  "Jonas", "Lena", "Felix",
			   "Clara", "Paul",   "Greta",  "Emil",  "Ida",  "Oskar",
			   "Jule",  "Moritz", "Frieda", "Anton", "Ayşe", "Mehmet",
			   "Sören", "Käthe",  "Jürgen", "Björn", "Zoë",  "Uwe" },
		.family = { "Müller", "Schäfer", "Weber", "Köhler", "Becker",  "Krüger",
			    "Vogel",  "Lange",   "Jäger", "Winter", "Sommer",  "Brandt",
			    "Yılmaz", "Kaya",    "Groß",  "Heß",    "Lindner", "Seidel",
			    "Arnold", "Pohl",    "Busch", "Kuhn",   "Horn",    "Voß" },
		.cities = { { "Berlin", "Berlin", "10###" },
			    { "Hamburg", "Hamburg", "20###" },
			    { "München", "Bayern", "80###" },
			    { "Köln", "Nordrhein-Westfalen", "50###" },
			    { "Leipzig", "Sachsen", "04###" },
			    { "Nürnberg", "Bayern", "90###" } },
		.streets = { "Lindenweg", "Am Mühlbach", "Rosenstraße", "Gartenallee",
			     "Schillerplatz", "Kastanienring" },
		.phone = "+49 30 23125 ###",
		.share = 400,
	},
	{
		.country = "GB",
		.language = "en",
		.given = { "Olivia", "George", "Amelia", "Arthur", "Isla",   "Harry",
			   "Ava",    "Noah",   "Mia",    "Jack",   "Freya",  "Leo",
			   "Niamh",  "Callum", "Priya",  "Arjun",  "Zainab", "Omar",
			   "Siân",   "Rhys",   "Eilidh", "Fergus", "Grace",  "Owen" },
		.family = { "Smith",  "Jones",  "Taylor",  "Brown",   "Williams", "Wilson",
			    "Evans",  "Thomas", "Roberts", "Walker",  "Wright",   "Patel",
			    "Khan",   "Ahmed",  "O'Neill", "MacLeod", "Hughes",   "Green",
			    "Clarke", "Baker",  "Ward",    "Turner",  "Hill",     "Cooper" },
		.cities = { { "London", "England", "SE1 #XX" },
			    { "Leeds", "England", "LS1 #XX" },
			    { "Bristol", "England", "BS1 #XX" },
			    { "Glasgow", "Scotland", "G1 #XX" },
			    { "Cardiff", "Wales", "CF10 #XX" },
			    { "Belfast", "Northern Ireland", "BT1 #XX" } },
		.streets = { "Orchard Road", "Mill Lane", "Station Street", "Church Walk",
			     "Kingsway", "The Crescent" },
		.phone = "+44 1632 960###",
		.share = 250,
	},
	{
		.country = "FR",
		.language = "fr",
		.given = { "Léa",    "Hugo",    "Chloé",  "Louis",   "Manon",   "Jules",
			   "Inès",   "Gabriel", "Zoé",    "Raphaël", "Camille", "Arthur",
			   "Élise",  "Théo",    "Noémie", "Maël",    "Fatima",  "Karim",
			   "Aurore", "Benoît",  "Hélène", "Rémi",    "Anaïs",   "Loïc" },
		.family = { "Martin",  "Bernard",  "Dubois",    "Moreau",   "Laurent", "Simon",
			    "Lefèvre", "Roux",     "Fournier",  "Girard",   "Bonnet",  "Dupont",
			    "Lambert", "Fontaine", "Rousseau",  "Vincent",  "Muller",  "Benali",
			    "Diallo",  "Nguyen",   "Chevalier", "Gauthier", "Perrin",  "Noël" },
		.cities = { { "Paris", "Île-de-France", "750##" },
			    { "Lyon", "Auvergne-Rhône-Alpes", "6900#" },
			    { "Nantes", "Pays de la Loire", "440##" },
			    { "Lille", "Hauts-de-France", "590##" },
			    { "Toulouse", "Occitanie", "310##" },
			    { "Strasbourg", "Grand Est", "670##" } },
		.streets = { "rue des Lilas", "avenue du Parc", "place du Marché",
			     "rue de l'Église", "quai des Tilleuls", "allée des Chênes" },
		.phone = "+33 1 99 00 ## ##",
		.share = 200,
	},
	{
		.country = "US",
		.language = "en",
		.given = { "Emma",    "Liam",  "Sophia",   "Mason",  "Harper",  "Ethan",
			   "Aaliyah", "Mateo", "Camila",   "Jayden", "Abigail", "Logan",
			   "Wei",     "Mei",   "Santiago", "Lucía",  "Elijah",  "Naomi",
			   "Caleb",   "Ruth",  "Dylan",    "Hannah", "Tyler",   "Brooke" },
		.family = { "Johnson", "Davis",    "Miller", "Garcia", "Martinez", "Anderson",
			    "Jackson", "White",    "Harris", "Lee",    "Nguyen",   "Ramirez",
			    "Lewis",   "Robinson", "Young",  "Allen",  "King",     "Scott",
			    "Torres",  "Núñez",    "Adams",  "Nelson", "Carter",   "Mitchell" },
		.cities = { { "Springfield", "Illinois", "627##" },
			    { "Portland", "Oregon", "972##" },
			    { "Austin", "Texas", "787##" },
			    { "Columbus", "Ohio", "432##" },
			    { "Denver", "Colorado", "802##" },
			    { "Raleigh", "North Carolina", "276##" } },
		.streets = { "Maple Avenue", "Oak Street", "Cedar Lane", "Lakeview Drive",
			     "2nd Street", "Sunset Boulevard" },
		.phone = "+1 202 555 01##",
		.share = 150,
	},
};
const size_t words_countries_n = ARRAY_LEN(words_countries);

const char *const words_products[] = { "Starter",    "Team",         "Business",
				       "Enterprise", "Support Plus", "Training" };
const size_t words_products_n = ARRAY_LEN(words_products);

const char *const words_sectors[] = { "technology",    "retail",    "medical",   "finance",
				      "manufacturing", "education", "logistics", "services" };
const size_t words_sectors_n = ARRAY_LEN(words_sectors);

const char *const words_firm_first[] = { "Nordlicht",   "Blue Heron", "Silberbach", "Redwood",
					 "Val d'Or",    "Harbour",    "Quantum",    "Sonnenhof",
					 "Keystone",    "Petit Pont", "Aurora",     "Granite",
					 "Lerchenfeld", "Bright Oak", "Clairval",   "Falcon" };
const size_t words_firm_first_n = ARRAY_LEN(words_firm_first);

const char *const words_firm_last[] = { "Systems", "Handel", "Logistics", "Foods", "Medical",
					"Energie", "Studio", "Partners",  "Werke", "Labs" };
const size_t words_firm_last_n = ARRAY_LEN(words_firm_last);

const char *const words_owners[] = { "agent-1", "agent-2", "agent-3", "agent-4",
				     "agent-5", "agent-6", "agent-7", "agent-8" };
const size_t words_owners_n = ARRAY_LEN(words_owners);
